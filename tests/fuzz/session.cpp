#include "tests/fuzz/choices.hpp"
#include "tests/fuzz/openings.hpp"

// A connection from greeting to farewell, driven by whatever bytes a client may send. The input:
// the choices, then what the client says behind the opening that was chosen.

namespace interposed::fuzz {

namespace {

void say_farewell(ConnectedClient& client, unsigned how) {
    switch (how) {
    case 0:
        return; // leaves with answers unread
    case 1:
        client.stop_sending();
        break;
    case 2:
        client.connection().stop();
        break;
    default:
        client.connection().abort();
    }
    while (client.go_on()) {
    }
    require(client.ended() || how != 1, "a connection ends when its client has said all");
}

} // namespace

} // namespace interposed::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace interposed::fuzz;
    static Fixture fixture;
    Input input(data, size);
    Choices choices(input);
    choices.weather.cached = true;
    ConnectedClient client(fixture, choices.weather);
    client.send(opening(choices.opening));
    Bytes& said = fixture.said;
    const Bytes rest = input.take_rest();
    said.assign(rest.begin(), rest.end());
    said.resize(said.size() + choices.tail);
    send_in_pieces(client, said, choices.piece);
    say_farewell(client, choices.farewell);
    return 0;
}

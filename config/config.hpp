#pragma once

#include "config/addresses.hpp"
#include "config/alternative_name.hpp"
#include "config/distinguished_name.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// The configuration file as plain values: what design calls the first stage. Nothing here
/// touches a device. docs/decisions/0004-configuration.md says why it is so strict.
///
/// Two values are equal if they mean the same: where they stand does not count.
namespace interposed::config {

/// Where something stands in the file.
struct Place {
    std::size_t line = 0;   ///< from 1
    std::size_t column = 0; ///< from 1, in bytes
    std::string path;       ///< "exports[0].table[1].offset"
};

/// One thing that is wrong. The message says what was wanted and what was found.
struct Fault {
    Place place;
    std::string message;
};

/// Everything that is wrong with a file, in the file's order. what() is the report, one line a
/// fault: "FILE:LINE:COLUMN: PATH: MESSAGE". After the first hundred it only counts the rest.
class ConfigError : public std::runtime_error {
public:
    ConfigError(std::string file, std::vector<Fault> faults);
    [[nodiscard]] const std::vector<Fault>& faults() const { return faults_; }

private:
    std::vector<Fault> faults_;
};

enum class Claim : std::uint8_t {
    exclusive,
    shared,
    /// Nobody else may claim the devices, as with exclusive, and in all else as with shared: what
    /// becomes of a shared claim when those who were in its way have left.
    adopted,
};
/// As it stands in the file: "adopted".
const char* to_string(Claim claim);

enum class Cache : std::uint8_t { automatic, buffered, direct };

struct TcpAddress {
    std::string host;           ///< a numeric address or a name; without the brackets of IPv6
    std::uint16_t port = 10809; ///< 0: any that is free

    friend bool operator==(const TcpAddress&, const TcpAddress&) = default;
};

struct UnixAddress {
    std::string path;                  ///< absolute, and short enough for a sockaddr_un
    std::optional<std::uint32_t> mode; ///< permission bits
    std::optional<std::string> owner;  ///< user name or number, as written
    std::optional<std::string> group;

    friend bool operator==(const UnixAddress&, const UnixAddress&) = default;
};

/// What becomes of NBD_OPT_STARTTLS: proto.md's NOTLS, SELECTIVETLS and FORCEDTLS.
enum class TlsMode : std::uint8_t {
    off,
    offer,  ///< a client may ask for it; exports that require it are not there for those who do not
    require ///< nothing is said to a client before
};

enum class TlsVersion : std::uint8_t { tls_1_2, tls_1_3 };

/// Where clients come in over TLS: with which certificate or keys, and how they say who they are.
/// All paths are absolute; an empty one was not given.
struct Tls {
    TlsMode mode = TlsMode::require; ///< of listeners that do not say otherwise
    std::string certificate;         ///< PEM: the server's, and those between it and the root
    std::string key;                 ///< PEM, of the certificate; not encrypted
    std::string ca;                  ///< PEM: who signs clients' certificates
    std::string crl;                 ///< PEM: which of them are not valid any more
    /// With `ca`: a client without a certificate is sent away, and not only unknown.
    bool client_certificate_required = true;
    std::string psk; ///< "identity:hex key" lines, as GnuTLS's psktool writes them
    TlsVersion min_version = TlsVersion::tls_1_2;
    Place place;

    friend bool operator==(const Tls& a, const Tls& b);
};

/// A name or number of a user or group.
struct Account {
    std::string name; ///< as written
    Place place;

    friend bool operator==(const Account& a, const Account& b);
};

/// What a client may do with an export.
enum class Access : std::uint8_t { none, read_only, read_write };
/// As it stands in the file: "read_only".
const char* to_string(Access access);

/// What a client who is all of this may do. What is absent does not matter; a rule without any of
/// it is for everybody. docs/decisions/0022-access.md says how names are compared.
struct AccessRule {
    std::optional<AddressRange> address;
    bool unix_socket = false;      ///< whoever comes through a Unix socket
    std::optional<Account> user{}; ///< of a client of a Unix socket
    std::optional<Account> group{};
    std::optional<DistinguishedName> tls_subject{};
    std::optional<std::string> tls_common_name{};
    std::optional<AlternativeName> tls_san{};
    std::optional<std::string> psk{};
    Access access = Access::read_write; ///< never none
    Place place{};

    friend bool operator==(const AccessRule& a, const AccessRule& b);
};

struct Listener {
    std::optional<TcpAddress> tcp; ///< exactly one of the three
    std::optional<UnixAddress> unix_socket;
    std::optional<TlsMode> tls; ///< absent: Tls::mode
    /// Who may speak to it, and what they may do at most; absent: everybody.
    std::optional<std::vector<AccessRule>> allow{};
    /// Sockets that the service manager has opened: those that it passes under this name. Empty:
    /// those that no other listener names.
    std::optional<std::string> systemd;
    Place place;

    friend bool operator==(const Listener& a, const Listener& b);
};

/// The listener's short form, as parse_listener() reads it.
std::string to_string(const Listener& listener);

struct Segment {
    std::string device;                  ///< an absolute path, or "major:minor"
    std::optional<std::uint64_t> start;  ///< bytes; absent: behind the segment before
    std::uint64_t offset = 0;            ///< bytes
    std::optional<std::uint64_t> length; ///< bytes; absent: up to the next start, or all the rest
    Place place; ///< of the segment; one line of a dm_table string adds " line N" to the path

    friend bool operator==(const Segment& a, const Segment& b);
};

/// How many requests and bytes may be served, on average and at once. 0: no limit.
struct RateLimit {
    std::uint64_t iops = 0;            ///< requests a second
    std::uint64_t iops_burst = 0;      ///< requests at once; 0: those of a tenth of a second
    std::uint64_t bandwidth = 0;       ///< bytes a second, read and written together
    std::uint64_t bandwidth_burst = 0; ///< bytes at once; 0: those of a tenth of a second

    friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

/// Quality of service of an export.
struct Qos {
    RateLimit all;        ///< of all its clients together
    RateLimit per_client; ///< of each: all connections of one IP address, or one Unix user

    friend bool operator==(const Qos&, const Qos&) = default;
};

/// An export as a device of this host's kernel.
struct Attach {
    std::string device;                      ///< "/dev/nbd0", or "auto": any that is free
    std::uint32_t connections = 1;           ///< sockets, 1 to 16
    std::uint32_t timeout_s = 5;             ///< then the kernel sends a request again
    std::uint32_t dead_conn_timeout_s = 600; ///< for so long requests wait for a server
    std::optional<std::uint32_t> block_size; ///< bytes; absent: the export's, at least 512
    std::string identifier;                  ///< empty: made from the export's name
    Place place;

    friend bool operator==(const Attach& a, const Attach& b);
};

/// In which device-mapper volume's path an export is. Written by `interposectl interpose`; the
/// server only keeps it.
struct Interposition {
    std::string volume;              ///< its name
    std::string uuid;                ///< device-mapper's; may be empty
    std::vector<std::string> before; ///< the table it had, as dmsetup prints it
    std::vector<std::string> after;  ///< the table that leads to this export
    std::string since;               ///< RFC 3339, UTC
    std::string state;               ///< "entering", "in" or "leaving"
    bool fail_open = false;
    Place place;

    friend bool operator==(const Interposition& a, const Interposition& b);
};

struct Export {
    std::string name;
    std::string description;
    Claim claim = Claim::exclusive;
    Cache cache = Cache::automatic;
    bool read_only = false;
    bool optional = false;
    bool requires_tls = false; ///< for clients without TLS it does not exist
    bool kernel_only = false; ///< there for "attach" alone: for other clients it does not exist
    std::optional<std::vector<AccessRule>> allow; ///< absent: everybody
    std::vector<Segment> table;                   ///< from "table" or "dm_table" alike
    std::optional<std::uint32_t> max_connections; ///< at a time; absent: only the server's limits
    Qos qos;
    std::optional<Attach> attach;
    std::optional<Interposition> interposed;
    Place place;

    friend bool operator==(const Export& a, const Export& b);
};

/// How much clients may take of the server.
struct Limits {
    std::uint32_t connections = 4096;              ///< at a time
    std::uint32_t connections_per_client = 1024;   ///< of one IP address, or one Unix user
    std::uint64_t memory = std::uint64_t{1} << 30; ///< bytes, for all clients' requests and replies
    std::uint32_t handshake_timeout_s = 30;        ///< from accept to a chosen export
    /// A TCP client that the network has lost is gone after so long without a word from its host.
    std::uint32_t keepalive_s = 60;

    friend bool operator==(const Limits&, const Limits&) = default;
};

/// Who may change what is served while it runs, and where.
struct Control {
    UnixAddress socket;              ///< mode 0600 if none is given
    std::vector<std::string> users;  ///< names or numbers; besides root and the server's own user
    std::vector<std::string> groups; ///< whose members may
    Place place;

    friend bool operator==(const Control& a, const Control& b);
};

/// Who the server becomes when it has opened what it serves, if root has started it.
struct RunAs {
    std::string user;                               ///< a name or a number
    std::optional<std::string> group;               ///< absent: the user's own
    std::optional<std::vector<std::string>> groups; ///< besides that; absent: the user's others
    bool attach = false; ///< at run time, too: keeps what the kernel wants for it
    Place place;

    friend bool operator==(const RunAs& a, const RunAs& b);
};

/// Where metrics are served, over HTTP.
struct Metrics {
    TcpAddress listen; ///< port 9809 if none is given
    Place place;

    friend bool operator==(const Metrics& a, const Metrics& b);
};

enum class LogLevel : std::uint8_t { error, warning, info, debug };
enum class LogFormat : std::uint8_t { text, json };

struct Log {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::text;

    friend bool operator==(const Log&, const Log&) = default;
};

struct Configuration {
    std::string file; ///< for messages
    Limits limits{};
    std::optional<Control> control{};       ///< absent: nothing can be changed but by SIGHUP
    std::optional<std::string> state_dir{}; ///< absolute; where changes made at run time are kept
    std::optional<Metrics> metrics{};
    std::optional<Tls> tls{}; ///< absent: NBD_OPT_STARTTLS is refused
    std::optional<RunAs> run_as{}; ///< absent: it stays who it is
    Log log{};
    std::vector<Listener> listen;
    std::vector<Export> exports;
};

/// Reads a configuration text. `file` is for messages; relative paths inside it are relative to
/// `folder`. Every start and length that follows from the others is filled in, so that only the
/// last length of a table can be absent. Throws ConfigError with every fault found.
Configuration parse(std::string_view text, const std::string& file,
                    const std::filesystem::path& folder);

/// Reads a configuration file. Throws ConfigError, also where it cannot be read.
Configuration load(const std::filesystem::path& file);

/// Reads one export, an object as in "exports", as strictly as parse() does. Its paths begin in
/// it: "table[1].offset". Throws ConfigError.
Export parse_export(std::string_view text, const std::string& file,
                    const std::filesystem::path& folder);

/// Reads the value of an export's "attach", or of its "interposed". Throws ConfigError.
Attach parse_attach(std::string_view text, const std::string& file);
Interposition parse_interposition(std::string_view text, const std::string& file);

/// Reads a table alone: {"table": [...]} or {"dm_table": [...]}, the bare array of either, or what
/// `dmsetup table` prints, line by line. It is JSON if it begins with a brace, a bracket or a
/// comment. Throws ConfigError.
std::vector<Segment> parse_table(std::string_view text, const std::string& file,
                                 const std::filesystem::path& folder);

/// The JSON text that parse_export() reads as an equal export, for one that it could have read.
/// Throws std::invalid_argument for a string that is not UTF-8.
std::string to_json(const Export& one);
std::string to_json(const std::vector<AccessRule>& rules);
std::string to_json(const Attach& one);
std::string to_json(const Interposition& one);

/// A listener from its short form: "tcp://host:port", "tcp://[v6]:port", "unix:///path",
/// "systemd", "systemd:NAME". Without a port, NBD's own. Throws std::invalid_argument with what
/// was wanted and found.
Listener parse_listener(std::string_view uri);

} // namespace interposed::config

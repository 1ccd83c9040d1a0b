#include "server/tls_context.hpp"

#include "config/quotes.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <new>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdexcept>
#include <sys/stat.h>

namespace interposed::server {

namespace {

/// Forward secrecy and authenticated encryption only; what TLS 1.3 has is all of that kind.
constexpr const char* tls_1_2_ciphers =
    "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:ECDHE-PSK-CHACHA20-POLY1305:"
    "DHE-PSK-AES256-GCM-SHA384:DHE-PSK-AES128-GCM-SHA256:DHE-PSK-CHACHA20-POLY1305:!aNULL:!eNULL";

/// A pre-shared key goes with the hash it was made for, which for all that anybody uses is SHA-256:
/// OpenSSL would choose SHA-384 first, find that the key does not fit, and want a certificate.
constexpr const char* tls_1_3_ciphers =
    "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";

/// What a client may send of certificates before it is known. Bytes.
constexpr long most_certificates = 32 << 10;

/// The reason that OpenSSL has noted first, and none of the others.
std::string openssl_reason() {
    const unsigned long code = ::ERR_get_error();
    ::ERR_clear_error();
    const char* const reason = code == 0 ? nullptr : ::ERR_reason_error_string(code);
    return reason == nullptr ? "unknown reason" : reason;
}

/// Cleansed when it is no longer needed: it may hold keys.
class Secret {
public:
    explicit Secret(const std::string& path) {
        errno = 0;
        std::ifstream in(path, std::ios::binary);
        text_.assign(std::istreambuf_iterator<char>(in), {});
        if (!in.is_open() || in.bad())
            throw std::runtime_error(errno == 0 ? "cannot be read" : std::strerror(errno));
    }
    ~Secret() { ::OPENSSL_cleanse(text_.data(), text_.size()); }
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    std::string text_;
};

/// OpenSSL says little about a file that is not there.
void check_readable(const std::string& path) {
    errno = 0;
    if (!std::ifstream(path, std::ios::binary).is_open())
        throw std::runtime_error(errno == 0 ? "cannot be read" : std::strerror(errno));
}

void require(bool done) {
    if (!done)
        throw std::runtime_error(openssl_reason());
}

/// Owner and group are as their owner chose; the rest of the world is not.
std::string warning_about(const std::string& path) {
    struct stat status {};
    if (path.empty() || ::stat(path.c_str(), &status) != 0 || (status.st_mode & S_IRWXO) == 0)
        return {};
    return "file " + config::in_quotes(path) +
           ": want secrets that others cannot read or write, found a file that they can: chmod o=";
}

void load_crl(SSL_CTX* context, const std::string& path) {
    X509_STORE* const store = ::SSL_CTX_get_cert_store(context);
    X509_LOOKUP* const lookup = ::X509_STORE_add_lookup(store, ::X509_LOOKUP_file());
    require(lookup != nullptr && ::X509_load_crl_file(lookup, path.c_str(), X509_FILETYPE_PEM) > 0);
    require(::X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK) == 1);
}

/// Their names tell clients which of their certificates to present.
void load_ca(SSL_CTX* context, const config::Tls& tls) {
    require(::SSL_CTX_load_verify_locations(context, tls.ca.c_str(), nullptr) == 1);
    STACK_OF(X509_NAME)* const names = ::SSL_load_client_CA_file(tls.ca.c_str());
    require(names != nullptr);
    ::SSL_CTX_set_client_CA_list(context, names);
    const int required = tls.client_certificate_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER | required, nullptr);
}

int no_pass_phrase(char*, int, int, void*) {
    return 0; // nobody is there to be asked
}

void set_up(SSL_CTX* context, const config::Tls& tls) {
    const int least =
        tls.min_version == config::TlsVersion::tls_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
    require(::SSL_CTX_set_min_proto_version(context, least) == 1);
    // A session that is resumed would bring back a client whose certificate was revoked meanwhile.
    ::SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                       SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    // To OpenSSL a pre-shared key is a session too, and every session belongs somewhere.
    constexpr unsigned char here[] = "interposed";
    require(::SSL_CTX_set_session_id_context(context, here, sizeof here - 1) == 1);
    require(::SSL_CTX_set_num_tickets(context, 0) == 1);
    require(::SSL_CTX_set_cipher_list(context, tls_1_2_ciphers) == 1);
    require(::SSL_CTX_set_ciphersuites(context, tls_1_3_ciphers) == 1);
    ::SSL_CTX_set_dh_auto(context, 1);
    // Not AUTO_RETRY: a client could keep a thread busy with records that hold no data.
    ::SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    ::SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    ::SSL_CTX_set_read_ahead(context, 1);
    ::SSL_CTX_set_max_cert_list(context, most_certificates);
    ::SSL_CTX_set_default_passwd_cb(context, no_pass_phrase);
}

/// Which of the connection's data is the identity of the pre-shared key.
int psk_index() {
    static const int index = ::SSL_get_ex_new_index(
        0, nullptr, nullptr, nullptr, [](void*, void* data, CRYPTO_EX_DATA*, int, long, void*) {
            delete static_cast<std::string*>(data);
        });
    return index;
}

/// Which of the context's data is its TlsContext.
int owner_index() {
    static const int index = ::SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

void note_psk(SSL* of, const char* identity) {
    if (auto* const noted = static_cast<std::string*>(::SSL_get_ex_data(of, psk_index()))) {
        *noted = identity;
        return;
    }
    auto name = std::make_unique<std::string>(identity);
    if (::SSL_set_ex_data(of, psk_index(), name.get()) != 1)
        throw std::bad_alloc();
    (void)name.release();
}

} // namespace

TlsContext::TlsContext(const config::Tls& tls)
    : terms_(tls), context_(::SSL_CTX_new(::TLS_server_method())) {
    if (!context_)
        throw std::bad_alloc();
    ::SSL_CTX_set_ex_data(context_.get(), owner_index(), this);
}

std::shared_ptr<const TlsContext> TlsContext::load(const config::Tls& tls,
                                                   const std::string& file) {
    const std::shared_ptr<TlsContext> made(new TlsContext(tls));
    SSL_CTX* const context = made->context_.get();
    set_up(context, tls);
    std::vector<config::Fault> faults;
    const auto read = [&](const char* key, const std::string& path,
                          const std::function<void()>& use) {
        if (path.empty())
            return;
        try {
            check_readable(path);
            use();
        } catch (const std::runtime_error& why) {
            config::Place place = tls.place;
            place.path += std::string(".") + key;
            faults.push_back({place, config::in_quotes(path) + ": " + why.what()});
        }
        ::ERR_clear_error();
    };
    read("certificate", tls.certificate, [&] {
        require(::SSL_CTX_use_certificate_chain_file(context, tls.certificate.c_str()) == 1);
    });
    const bool has_certificate = faults.empty();
    read("key", tls.key, [&] {
        // Which compares it with the certificate, if there is one.
        require(::SSL_CTX_use_PrivateKey_file(context, tls.key.c_str(), SSL_FILETYPE_PEM) == 1);
        require(!has_certificate || ::SSL_CTX_check_private_key(context) == 1);
    });
    read("ca", tls.ca, [&] { load_ca(context, tls); });
    read("crl", tls.crl, [&] { load_crl(context, tls.crl); });
    read("psk", tls.psk, [&] {
        made->psks_ = parse_psk_file(Secret(tls.psk).text());
        ::SSL_CTX_set_psk_server_callback(context, find_psk);
    });
    if (!faults.empty())
        throw config::ConfigError(file, std::move(faults));
    for (const std::string& path : {tls.key, tls.psk}) {
        if (std::string warning = warning_about(path); !warning.empty())
            made->warnings_.push_back(std::move(warning));
    }
    return made;
}

TlsContext::Connection TlsContext::connection() const {
    Connection made(::SSL_new(context_.get()));
    if (!made)
        throw std::bad_alloc();
    ::SSL_set_accept_state(made.get());
    return made;
}

const std::string& TlsContext::offered_psk(const SSL* of) {
    static const std::string none;
    const auto* const offered = static_cast<const std::string*>(::SSL_get_ex_data(of, psk_index()));
    return offered == nullptr ? none : *offered;
}

/// Called by OpenSSL, which knows no exceptions.
unsigned TlsContext::find_psk(SSL* of, const char* identity, unsigned char* psk, unsigned room) {
    const auto* const self =
        static_cast<const TlsContext*>(::SSL_CTX_get_ex_data(::SSL_get_SSL_CTX(of), owner_index()));
    try {
        const auto found = self->psks_.find(std::string_view(identity));
        if (found == self->psks_.end() || found->second.size() > room)
            return 0;
        note_psk(of, identity);
        std::copy(found->second.begin(), found->second.end(), psk);
        return static_cast<unsigned>(found->second.size());
    } catch (const std::bad_alloc&) {
        return 0;
    }
}

} // namespace interposed::server

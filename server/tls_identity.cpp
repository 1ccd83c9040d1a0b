#include "server/tls_identity.hpp"

#include "server/tls_context.hpp"

#include <arpa/inet.h>
#include <array>
#include <memory>
#include <openssl/bio.h>
#include <openssl/x509v3.h>
#include <string_view>

namespace interposed::server {

namespace {

/// UTF-8 of a string of a certificate; nullopt for what is no text, or has a NUL byte in it, which
/// would mean one thing to those who issued it and another to those who compare it.
std::optional<std::string> text_of(const ASN1_STRING* of) {
    unsigned char* raw = nullptr;
    const int length = ::ASN1_STRING_to_UTF8(&raw, of);
    if (length < 0)
        return std::nullopt;
    std::string text(reinterpret_cast<const char*>(raw), static_cast<std::size_t>(length));
    ::OPENSSL_free(raw);
    return text.find('\0') == std::string::npos ? std::optional(text) : std::nullopt;
}

std::string subject_of(const X509* certificate) {
    const std::unique_ptr<BIO, decltype(&::BIO_free)> out(::BIO_new(::BIO_s_mem()), &::BIO_free);
    // RFC 4514 leaves UTF-8 as it is, where RFC 2253's flags escape it.
    constexpr unsigned long as_rfc_4514 = XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB;
    if (!out ||
        ::X509_NAME_print_ex(out.get(), ::X509_get_subject_name(certificate), 0, as_rfc_4514) < 0)
        return {};
    char* data = nullptr;
    const long length = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(length)};
}

std::string common_name_of(const X509* certificate) {
    const X509_NAME* const subject = ::X509_get_subject_name(certificate);
    int last = -1;
    for (int at = -1; (at = ::X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;)
        last = at;
    if (last < 0)
        return {};
    return text_of(::X509_NAME_ENTRY_get_data(::X509_NAME_get_entry(subject, last))).value_or("");
}

std::optional<std::string> address_of(const ASN1_OCTET_STRING* of) {
    const int length = ::ASN1_STRING_length(of);
    std::array<char, INET6_ADDRSTRLEN> text{};
    if ((length != 4 && length != 16) ||
        ::inet_ntop(length == 4 ? AF_INET : AF_INET6, ::ASN1_STRING_get0_data(of), text.data(),
                    text.size()) == nullptr)
        return std::nullopt;
    return std::string(text.data());
}

std::optional<std::string> name_of(const GENERAL_NAME* of) {
    const auto prefixed = [](std::string_view kind, const std::optional<std::string>& value) {
        return value ? std::optional(std::string(kind) + *value) : std::nullopt;
    };
    switch (of->type) {
    case GEN_DNS:
        return prefixed("dns:", text_of(of->d.dNSName));
    case GEN_EMAIL:
        return prefixed("email:", text_of(of->d.rfc822Name));
    case GEN_URI:
        return prefixed("uri:", text_of(of->d.uniformResourceIdentifier));
    case GEN_IPADD:
        return prefixed("ip:", address_of(of->d.iPAddress));
    default:
        return std::nullopt;
    }
}

std::vector<std::string> alternative_names_of(const X509* certificate) {
    const std::unique_ptr<GENERAL_NAMES, decltype(&::GENERAL_NAMES_free)> names(
        static_cast<GENERAL_NAMES*>(
            ::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
        &::GENERAL_NAMES_free);
    std::vector<std::string> texts;
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        if (auto text = name_of(sk_GENERAL_NAME_value(names.get(), i)))
            texts.push_back(std::move(*text));
    }
    return texts;
}

/// TLS 1.3 counts a pre-shared key as a session that is resumed, of which we have no others; 1.2
/// has ciphers for it.
bool used_psk(const SSL* tls) {
    const SSL_CIPHER* const cipher = ::SSL_get_current_cipher(tls);
    return ::SSL_version(tls) >= TLS1_3_VERSION
               ? ::SSL_session_reused(tls) == 1
               : cipher != nullptr && ::SSL_CIPHER_get_auth_nid(cipher) == NID_auth_psk;
}

} // namespace

std::optional<TlsIdentity> identity_of(const SSL* tls) {
    TlsIdentity identity;
    if (used_psk(tls)) {
        identity.psk = TlsContext::offered_psk(tls);
        return identity.psk.empty() ? std::nullopt : std::optional(std::move(identity));
    }
    const X509* const certificate = ::SSL_get0_peer_certificate(tls);
    if (certificate == nullptr || ::SSL_get_verify_result(tls) != X509_V_OK)
        return std::nullopt;
    identity.subject = subject_of(certificate);
    identity.alternative_names = alternative_names_of(certificate);
    identity.common_name = common_name_of(certificate);
    return identity;
}

} // namespace interposed::server

#include "protocol/error.hpp"

#include <cerrno>

namespace interposed::protocol {

WireError to_wire(int error) {
    switch (error) {
    case 0:
        return WireError::none;
    case EPERM:
    case EACCES:
    case EROFS:
        return WireError::eperm;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return WireError::enospc;
    case EINVAL:
        return WireError::einval;
    case EOVERFLOW:
        return WireError::eoverflow;
    case ESHUTDOWN:
        return WireError::eshutdown;
    default:
        return WireError::eio;
    }
}

} // namespace interposed::protocol

// The parts of Asio that are not templates: see ASIO_SEPARATE_COMPILATION in meson.build.
#include <asio/impl/src.hpp>

// The one place where the daemon compiles what of Boost.Asio is not a template.
#include <boost/asio/impl/src.hpp>

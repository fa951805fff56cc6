#include "protocol/refusal.hpp"

namespace viaduct::protocol {

int refusal_status(Errc error) {
  switch (error) {
    case Errc::params_too_large:
    case Errc::param_name_too_long:
    case Errc::param_value_too_long:
    case Errc::too_many_params:
      return 431;
    case Errc::too_many_requests:
      return 503;
    case Errc::unknown_expectation:
      return 417;
    case Errc::unknown_coding:
      return 501;
    case Errc::unknown_version:
      return 505;
    default:
      return 400;
  }
}

}  // namespace viaduct::protocol

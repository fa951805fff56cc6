#include "protocol/refusal.hpp"

#include <gtest/gtest.h>

namespace viaduct::protocol {
namespace {

TEST(Refusal, EveryErrorOfARequestHasItsStatus) {
  struct Row {
    Errc error;
    int status;
  };
  for (const Row& row : {Row{Errc::params_too_large, 431}, Row{Errc::param_name_too_long, 431},
                         Row{Errc::param_value_too_long, 431}, Row{Errc::too_many_params, 431},
                         Row{Errc::too_many_requests, 503}, Row{Errc::bad_params, 400},
                         Row{Errc::bad_param_name, 400}, Row{Errc::bad_param_value, 400},
                         Row{Errc::bad_body_length, 400}, Row{Errc::body_truncated, 400},
                         Row{Errc::unknown_role, 400}, Row{Errc::unknown_expectation, 417},
                         Row{Errc::unknown_coding, 501}, Row{Errc::unknown_version, 505}}) {
    EXPECT_EQ(refusal_status(row.error), row.status) << describe(row.error);
  }
}

}  // namespace
}  // namespace viaduct::protocol

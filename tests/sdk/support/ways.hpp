#pragma once

#include <string>

#include <gtest/gtest.h>
#include <viaduct/app.hpp>
#include <viaduct/testing.hpp>

namespace viaduct::test {

/// A way for a request to get to its handler: how it is sent, and how the handler waits.
struct Way {
  testing::Via via;
  Model model;
};

/// All there are. Via::direct has the test's own thread, whatever the model.
inline constexpr Way kEveryWay[] = {
    {testing::Via::direct, Model::threads}, {testing::Via::fastcgi, Model::threads},
    {testing::Via::fastcgi, Model::fibers}, {testing::Via::scgi, Model::threads},
    {testing::Via::scgi, Model::fibers},    {testing::Via::uwsgi, Model::threads},
    {testing::Via::uwsgi, Model::fibers},   {testing::Via::http, Model::threads},
    {testing::Via::http, Model::fibers},
};

/// For what depends little on the protocol.
inline constexpr Way kSomeWays[] = {
    {testing::Via::direct, Model::threads},
    {testing::Via::fastcgi, Model::threads},
    {testing::Via::fastcgi, Model::fibers},
    {testing::Via::scgi, Model::fibers},
};

inline std::string way_name(const ::testing::TestParamInfo<Way>& info) {
  static constexpr const char* kVias[] = {"direct", "fastcgi", "scgi", "uwsgi", "http"};
  return std::string(kVias[static_cast<int>(info.param.via)]) +
         (info.param.model == Model::fibers ? "_fibers" : "_threads");
}

}  // namespace viaduct::test

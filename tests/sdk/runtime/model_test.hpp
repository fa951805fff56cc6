#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "sdk/src/log_output.hpp"
#include "tests/sdk/support/peer.hpp"
#include "tests/sdk/support/serving.hpp"

namespace viaduct::test {

/// Tests that hold for both concurrency models. Log lines are collected.
class ModelTest : public ::testing::TestWithParam<Model> {
 protected:
  ModelTest() : redirection_(sink_) {}

  /// To be kept in a variable behind those that handlers refer to.
  [[nodiscard]] std::unique_ptr<Serving> serve(
      std::uint32_t limit = 8, std::chrono::milliseconds stop_time = std::chrono::seconds(30)) {
    return std::make_unique<Serving>(app, detail::ServerOptions{.model = GetParam(),
                                                                .limit = limit,
                                                                .stop_time = stop_time,
                                                                .file_delivery = file_delivery});
  }
  [[nodiscard]] bool fibers() const { return GetParam() == Model::fibers; }
  [[nodiscard]] std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

  App app;
  detail::FileDelivery file_delivery = detail::FileDelivery::self;

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
  const detail::LogSink sink_ = [this](Level, std::string_view line) {
    const std::lock_guard lock(mutex_);
    lines_.emplace_back(line);
  };
  detail::LogRedirection redirection_;
};

inline std::string model_name(const ::testing::TestParamInfo<Model>& info) {
  return info.param == Model::fibers ? "fibers" : "threads";
}

}  // namespace viaduct::test

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
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
  /// Those of the engine may come after the answer: waits until there are so many.
  [[nodiscard]] std::vector<std::string> lines(std::size_t count) {
    std::unique_lock lock(mutex_);
    logged_.wait_for(lock, std::chrono::seconds(20), [&] { return lines_.size() >= count; });
    return lines_;
  }

  App app;
  detail::FileDelivery file_delivery = detail::FileDelivery::self;

 private:
  std::mutex mutex_;
  std::condition_variable logged_;
  std::vector<std::string> lines_;
  const detail::LogSink sink_ = [this](Level, std::string_view line) {
    const std::lock_guard lock(mutex_);
    lines_.emplace_back(line);
    logged_.notify_all();
  };
  detail::LogRedirection redirection_;
};

inline std::string model_name(const ::testing::TestParamInfo<Model>& info) {
  return info.param == Model::fibers ? "fibers" : "threads";
}

}  // namespace viaduct::test

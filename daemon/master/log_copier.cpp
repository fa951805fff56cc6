#include "daemon/master/log_copier.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <exception>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/channel/log_pipe.hpp"
#include "daemon/log/escape.hpp"
#include "daemon/master/line_splitter.hpp"
#include "daemon/master/token_bucket.hpp"

namespace viaduct::daemon::master {

namespace {

constexpr std::size_t kChunk = 64 * 1024;
// So that one who writes byte by byte does not keep the thread.
constexpr std::size_t kLeastPerRead = 4096;
// A pipe may hold a MiB, and its writer may go on.
constexpr std::size_t kLastBytes = 2 * 1024 * 1024;

constexpr double kTurnsPerSecond = std::chrono::seconds(1) / LogCopier::kTurn;
// A small pipe must not overflow meanwhile, nor the thread wake for every line.
constexpr std::chrono::milliseconds kShortestPause{10};

bool is_plain(std::string_view line) {
  return std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

class CopiedPipe {
 public:
  CopiedPipe(boost::asio::io_context& io, UniqueFd reader, std::shared_ptr<LogFile> file,
             LogCopier::Lines lines)
      : descriptor(io, reader.release()),
        pause(io),
        file_(std::move(file)),
        lines_(lines),
        budget_(static_cast<double>(lines.bytes_per_turn) * kTurnsPerSecond,
                static_cast<double>(lines.bytes_per_turn)) {}

  boost::asio::posix::stream_descriptor descriptor;
  boost::asio::steady_timer pause;

  enum class Rest { none, more, ended };

  // Copies as much as there are bytes to spend.
  Rest copy_turn() {
    const auto now = TokenBucket::Clock::now();
    while (!budget_.empty(now)) {
      const Read read = read_some();
      budget_.spend(static_cast<double>(read.worth), now);
      if (read.rest != Rest::more) return read.rest;
    }
    return Rest::more;
  }
  // How long after that it is not to be read.
  [[nodiscard]] TokenBucket::Clock::duration pause_time() const {
    const TokenBucket::Clock::duration shortest = kShortestPause;
    return std::max(budget_.wait(TokenBucket::Clock::now()), shortest);
  }

  void copy_last() {
    for (std::size_t copied = 0; copied < kLastBytes;) {
      const Read read = read_some();
      if (read.rest != Rest::more) return;
      copied += read.worth;
    }
  }

  void finish() {
    splitter_.finish(gather_);
    write();
  }

 private:
  struct Read {
    Rest rest;
    std::size_t worth;
  };

  Read read_some() {
    ssize_t size = 0;
    do {
      size = ::read(descriptor.native_handle(), chunk_.data(), chunk_.size());
    } while (size < 0 && errno == EINTR);
    if (size < 0 && errno == EAGAIN) return {Rest::none, 0};
    if (size <= 0) return {Rest::ended, 0};
    const auto bytes = static_cast<std::size_t>(size);
    splitter_.feed({chunk_.data(), bytes}, gather_);
    write();
    return {Rest::more, std::max(bytes, kLeastPerRead)};
  }

  void gather(std::string_view line) {
    if (is_plain(line)) {
      text_ += line;
    } else if (lines_.format == config::LogFormat::json) {
      text_ += log::escape_json_controls(line);
    } else {
      text_ += log::escape_controls(line);
    }
    text_ += '\n';
  }

  void write() {
    file_->write(text_);
    text_.clear();
    if (text_.capacity() > 2 * kChunk) text_.shrink_to_fit();
  }

  std::shared_ptr<LogFile> file_;
  LogCopier::Lines lines_;
  TokenBucket budget_;  // in bytes; a pipe that was found empty begins no new one
  std::array<char, kChunk> chunk_;
  LineSplitter splitter_{LogCopier::kLongestLine};
  LineSplitter::Sink gather_ = [this](std::string_view line) { gather(line); };
  std::string text_;
};

}  // namespace

struct LogCopier::Loop {
  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  std::set<std::shared_ptr<CopiedPipe>> pipes;

  void run() {
    while (!io.stopped()) {
      try {
        io.run();
      } catch (const std::exception&) {
        // Out of memory: the lines of this turn are lost, and that pipe is closed.
      }
    }
  }

  void add(std::shared_ptr<CopiedPipe> pipe) {
    pipes.insert(pipe);
    wait(std::move(pipe));
  }

  void wait(std::shared_ptr<CopiedPipe> pipe) {
    auto& descriptor = pipe->descriptor;
    descriptor.async_wait(
        boost::asio::posix::descriptor_base::wait_read,
        [this, pipe = std::move(pipe)](const boost::system::error_code& error) mutable {
          if (!error) copy(std::move(pipe));
        });
  }

  void copy(std::shared_ptr<CopiedPipe> pipe) {
    const auto closing = pipes.extract(pipe);
    const CopiedPipe::Rest rest = pipe->copy_turn();
    if (rest == CopiedPipe::Rest::ended) return pipe->finish();
    pipes.insert(pipe);
    if (rest == CopiedPipe::Rest::none) return wait(std::move(pipe));
    pipe->pause.expires_after(pipe->pause_time());
    auto& pause = pipe->pause;
    pause.async_wait(
        [this, pipe = std::move(pipe)](const boost::system::error_code& error) mutable {
          if (!error) wait(std::move(pipe));
        });
  }

  void finish() {
    // Whatever comes of that.
    io.stop();
    for (const auto& pipe : pipes) {
      pipe->copy_last();
      pipe->finish();
    }
  }
};

LogCopier::LogCopier() = default;

LogCopier::~LogCopier() {
  if (!loop_) return;
  boost::asio::post(loop_->io, [loop = loop_.get()] { loop->finish(); });
  thread_.join();
}

void LogCopier::start() {
  auto loop = std::make_unique<Loop>();
  // Signals are for the event loop.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread(&Loop::run, loop.get());
  } catch (...) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  loop_ = std::move(loop);
}

UniqueFd LogCopier::pipe_to(std::shared_ptr<LogFile> file, Lines lines) {
  channel::LogPipe ends = channel::make_log_pipe(lines.pipe_bytes);
  if (!loop_) start();
  auto pipe =
      std::make_shared<CopiedPipe>(loop_->io, std::move(ends.reader), std::move(file), lines);
  boost::asio::post(loop_->io, [loop = loop_.get(), pipe = std::move(pipe)] { loop->add(pipe); });
  return std::move(ends.writer);
}

}  // namespace viaduct::daemon::master

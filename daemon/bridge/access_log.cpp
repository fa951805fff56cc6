#include "daemon/bridge/access_log.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <ctime>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "daemon/log/escape.hpp"

namespace viaduct::daemon::bridge {

namespace {

std::string format_json(const AccessEntry& entry, std::chrono::system_clock::time_point time) {
  const auto text = [&](std::string_view name) {
    return log::escape_invalid_utf8(entry.params.get(name).value_or(""));
  };
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  boost::json::object line;
  line["time"] = fmt::format("{:%FT%TZ}", fmt::gmtime(seconds));
  line["app"] = entry.app;
  line["remote_addr"] = text("REMOTE_ADDR");
  line["method"] = text("REQUEST_METHOD");
  line["host"] = text("HTTP_HOST");
  line["uri"] = text("REQUEST_URI");
  line["protocol"] = text("SERVER_PROTOCOL");
  line["status"] = entry.status;
  line["bytes"] = entry.body_bytes;
  line["seconds"] = std::chrono::duration<double>(entry.duration).count();
  line["attempts"] = entry.attempts;
  line["referer"] = text("HTTP_REFERER");
  line["user_agent"] = text("HTTP_USER_AGENT");
  return boost::json::serialize(line);
}

std::string format_combined(const AccessEntry& entry, std::chrono::system_clock::time_point time) {
  const auto text = [&](std::string_view name) {
    const auto value = entry.params.get(name);
    if (!value || value->empty()) return std::string("-");
    std::string escaped = log::escape(*value);
    for (std::size_t i = 0; (i = escaped.find('"', i)) != std::string::npos; i += 2) {
      escaped.insert(i, 1, '\\');
    }
    return escaped;
  };
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  return fmt::format(
      "{} - {} [{:%d/%b/%Y:%H:%M:%S +0000}] \"{} {} {}\" {} {} \"{}\" \"{}\" {} {:.6f}",
      text("REMOTE_ADDR"), text("REMOTE_USER"), fmt::gmtime(seconds), text("REQUEST_METHOD"),
      text("REQUEST_URI"), text("SERVER_PROTOCOL"), entry.status, entry.body_bytes,
      text("HTTP_REFERER"), text("HTTP_USER_AGENT"), entry.app,
      std::chrono::duration<double>(entry.duration).count());
}

}  // namespace

std::string format_access(const AccessEntry& entry, config::LogFormat format,
                          std::chrono::system_clock::time_point time) {
  return format == config::LogFormat::json ? format_json(entry, time)
                                           : format_combined(entry, time);
}

AccessLog::AccessLog(Reactor& reactor, const log::Log& log, config::LogFormat format, double sample)
    : reactor_(reactor), log_(log), format_(format), sample_(sample) {}

AccessLog::~AccessLog() {
  constexpr int kLastMilliseconds = 1000;
  flush();
  if (output_) output_->flush_for(kLastMilliseconds);
  reactor_.forget(*this);
}

void AccessLog::write(const AccessEntry& entry) {
  // Every k-th request, evenly, rather than by chance: short tests and quiet sites see the share
  // they asked for.
  share_ += sample_;
  // Ten times 0.1 is a little less than 1.
  if (share_ < 1.0 - 1e-6) return;
  share_ -= 1.0;
  const std::string line = format_access(entry, format_, std::chrono::system_clock::now());
  const bool escape = to_socket_ && format_ == config::LogFormat::json;
  lines_ += escape ? log::escape_json_controls(line) : line;
  lines_ += '\n';
  reactor_.flush_at_turn_end(*this);
}

void AccessLog::write_to(UniqueFd descriptor) {
  int type = 0;
  socklen_t size = sizeof(type);
  to_socket_ = ::getsockopt(descriptor.get(), SOL_SOCKET, SO_TYPE, &type, &size) == 0;
  if (to_socket_ && type == SOCK_DGRAM) {
    datagrams_ = std::move(descriptor);
  } else {
    output_ = std::make_unique<log::LineOutput>(descriptor.release(), kMostWaiting);
  }
}

// To syslog, a line each. What it does not take at once is lost, as it is for everybody.
void AccessLog::send_lines() {
  constexpr std::string_view kPrefix = "<30>viaductd: ";  // daemon, informational
  std::string_view rest = lines_;
  while (!rest.empty()) {
    const std::size_t size = rest.find('\n');
    std::array<iovec, 2> parts{{{const_cast<char*>(kPrefix.data()), kPrefix.size()},
                                {const_cast<char*>(rest.data()), size}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    ::sendmsg(datagrams_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    rest.remove_prefix(size + 1);
  }
}

void AccessLog::flush() {
  if (output_) {
    // A full disk costs log lines, not requests.
    lost_ += output_->write(lines_);
  } else if (datagrams_) {
    send_lines();
  }
  lines_.clear();
}

bool AccessLog::tick() {
  if (!output_) return false;
  if (output_->waiting()) lost_ += output_->write({});
  if (lost_ > 0) report_lost();
  return output_->waiting();
}

void AccessLog::report_lost() {
  if (reactor_.now() < report_at_) return;
  log_.warning("access log lines lost: they cannot be written fast enough, or at all",
               {{"lines", std::exchange(lost_, 0)}});
  report_at_ = reactor_.now() + kReports;
}

}  // namespace viaduct::daemon::bridge

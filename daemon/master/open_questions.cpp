#include "daemon/master/open_questions.hpp"

#include <utility>

#include "daemon/channel/answer_memory.hpp"
#include "daemon/channel/lost_requests.hpp"
#include "daemon/channel/request_list.hpp"

namespace viaduct::daemon::master {

using channel::Type;

namespace {

constexpr std::size_t kMaxLossBytes =
    channel::LostRequests::kMax * (channel::LostRequests::kMaxLine + 1);

}  // namespace

int OpenQuestions::ask(const channel::Message& question) {
  const bool list = question.type == Type::list_requests;
  BySerial& open = list ? lists_ : losses_;
  if (open.size() == kMaxOpen) return -1;
  UniqueFd memory = channel::make_answer_memory(list ? channel::kMaxListBytes : kMaxLossBytes);
  return (open[question.serial] = std::move(memory)).get();
}

std::optional<std::string> OpenQuestions::take(const channel::Message& answer) {
  const bool list = answer.type == Type::listing;
  auto question = (list ? lists_ : losses_).extract(answer.serial);
  if (!question) return std::nullopt;
  return channel::read_answer(question.mapped().get(), answer.size,
                              list ? channel::kMaxListBytes : kMaxLossBytes);
}

}  // namespace viaduct::daemon::master

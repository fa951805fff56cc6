#include "daemon/master/reload_queue.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

using Kind = ReloadOrder::Kind;

TEST(ReloadQueueTest, EqualOrdersAreOneAndOthersKeepTheirTurn) {
  ReloadQueue queue;
  const auto done = [](const control::Outcome&) {};
  queue.add({}, nullptr);
  queue.add({Kind::restart, "shop"}, done);
  queue.add({Kind::app, "shop"}, done);
  queue.add({}, done);
  queue.add({Kind::restart, "api"}, done);
  queue.add({Kind::restart, "shop"}, done);
  queue.add({Kind::keep_going}, done);
  const std::pair<ReloadOrder, std::size_t> expected[] = {{{}, 1},
                                                          {{Kind::restart, "shop"}, 2},
                                                          {{Kind::app, "shop"}, 1},
                                                          {{Kind::restart, "api"}, 1},
                                                          {{Kind::keep_going}, 1}};
  for (const auto& [order, waiting] : expected) {
    ASSERT_FALSE(queue.empty());
    const ReloadQueue::Request request = queue.take();
    EXPECT_EQ(request.order, order);
    EXPECT_EQ(request.waiting.size(), waiting);
  }
  EXPECT_TRUE(queue.empty());
}

TEST(ReloadQueueTest, KnowsWhetherTheWholeFileIsToBeRead) {
  for (const auto& [kind, whole] : {std::pair(Kind::whole, true), std::pair(Kind::keep_going, true),
                                    std::pair(Kind::app, false), std::pair(Kind::restart, false)}) {
    ReloadQueue queue;
    EXPECT_FALSE(queue.has_whole());
    queue.add({kind, "shop"}, nullptr);
    EXPECT_EQ(queue.has_whole(), whole);
  }
}

TEST(ReloadQueueTest, ClearedItNamesAllWhoWait) {
  ReloadQueue queue;
  int told = 0;
  const auto done = [&told](const control::Outcome&) { ++told; };
  queue.add({}, nullptr);
  queue.add({}, done);
  queue.add({Kind::restart, "shop"}, done);
  for (const auto& waiting : queue.clear()) waiting({});
  EXPECT_EQ(told, 2);
  EXPECT_TRUE(queue.empty());
}

TEST(ReloadOrderTest, AppliesTheSettingsOfSomeApps) {
  struct Row {
    ReloadOrder order;
    bool shop, api, reads;
  };
  for (const Row& row :
       {Row{{Kind::whole}, true, true, true}, Row{{Kind::keep_going}, true, true, true},
        Row{{Kind::app, "shop"}, true, false, true},
        Row{{Kind::restart, "shop"}, false, false, false}}) {
    EXPECT_EQ(row.order.applies("shop"), row.shop);
    EXPECT_EQ(row.order.applies("api"), row.api);
    EXPECT_EQ(row.order.reads_file(), row.reads);
  }
}

}  // namespace
}  // namespace viaduct::daemon::master

#include "daemon/master/reload_queue.hpp"

#include <string>

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

using Kind = ReloadOrder::Kind;

TEST(ReloadQueueTest, EqualOrdersAreOneAndOthersKeepTheirTurn) {
  ReloadQueue queue;
  const auto done = [](const control::Outcome&) {};
  EXPECT_TRUE(queue.add({}, nullptr));
  EXPECT_TRUE(queue.add({Kind::restart, "shop"}, done));
  EXPECT_TRUE(queue.add({Kind::app, "shop"}, done));
  EXPECT_TRUE(queue.add({}, done));
  EXPECT_TRUE(queue.add({Kind::restart, "api"}, done));
  EXPECT_TRUE(queue.add({Kind::restart, "shop"}, done));
  EXPECT_TRUE(queue.add({Kind::keep_going}, done));
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
    EXPECT_TRUE(queue.add({kind, "shop"}, nullptr));
    EXPECT_EQ(queue.has_whole(), whole);
  }
}

TEST(ReloadQueueTest, HoldsSoManyOrdersForSingleApps) {
  ReloadQueue queue;
  const auto done = [](const control::Outcome&) {};
  const auto order = [](std::size_t i) {
    return ReloadOrder{i % 2 == 0 ? Kind::app : Kind::restart, "app" + std::to_string(i)};
  };
  for (std::size_t i = 0; i + 1 < ReloadQueue::kMaxOfApps; ++i) {
    ASSERT_TRUE(queue.add(order(i), done)) << i;
  }
  EXPECT_TRUE(queue.add(order(ReloadQueue::kMaxOfApps - 1), done)) << "the last one";
  EXPECT_FALSE(queue.add(order(ReloadQueue::kMaxOfApps), done)) << "one more";
  EXPECT_TRUE(queue.add(order(0), done)) << "it waits already";
  EXPECT_TRUE(queue.add({}, nullptr)) << "a signal gets no answer";
  EXPECT_TRUE(queue.add({Kind::keep_going}, done));
  EXPECT_EQ(queue.take().order, order(0));
  EXPECT_TRUE(queue.add(order(ReloadQueue::kMaxOfApps), done)) << "there is room again";
  EXPECT_FALSE(queue.add(order(ReloadQueue::kMaxOfApps + 1), done));
}

TEST(ReloadQueueTest, ClearedItNamesAllWhoWait) {
  ReloadQueue queue;
  int told = 0;
  const auto done = [&told](const control::Outcome&) { ++told; };
  EXPECT_TRUE(queue.add({}, nullptr));
  EXPECT_TRUE(queue.add({}, done));
  EXPECT_TRUE(queue.add({Kind::restart, "shop"}, done));
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

#include "daemon/master/bridge_conduct.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

using channel::Message;
using channel::Type;

Message of(Type type) {
  Message message;
  message.type = type;
  return message;
}

TEST(BridgeConductTest, EveryOrder) {
  struct Row {
    std::vector<Type> sequence;  // drain: told by the master; all others come from the bridge
    std::string violation;       // of the last
  };
  const Row rows[] = {
      {{Type::started}, ""},
      {{Type::started, Type::started}, "it starts twice"},
      {{Type::demand}, "a message before it has started"},
      {{Type::left}, "a message before it has started"},
      {{Type::started, Type::demand, Type::demand, Type::kill}, ""},
      {{Type::started, Type::left}, "it leaves unasked"},
      {{Type::started, Type::drained}, "it leaves unasked"},
      {{Type::drain, Type::started, Type::left}, ""},
      {{Type::started, Type::drain, Type::left, Type::drained}, ""},
      {{Type::started, Type::drain, Type::drained, Type::left}, ""},
      {{Type::started, Type::drain, Type::left, Type::left}, "it leaves twice"},
      {{Type::started, Type::drain, Type::drained, Type::drained}, "it leaves twice"},
      {{Type::started, Type::drain, Type::drained, Type::requests}, ""},
  };
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    BridgeConduct conduct;
    std::string_view violation;
    for (const Type type : rows[i].sequence) {
      EXPECT_EQ(violation, "") << i;
      if (type == Type::drain) {
        conduct.told(of(type));
      } else {
        violation = conduct.violation_of(of(type));
      }
    }
    EXPECT_EQ(violation, rows[i].violation) << i;
  }
}

}  // namespace
}  // namespace viaduct::daemon::master

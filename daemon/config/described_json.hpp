// Turns plain data into Boost.JSON values and back: structs and enums described with
// Boost.Describe, durations, optionals, vectors, arrays, strings, numbers and booleans.
//
// Boost.JSON's own conversion of described types has no place for std::chrono durations except a
// function in namespace std. Reading throws boost::system::system_error on any mismatch: a missing
// or additional member, a wrong type, an unknown enumerator, a number out of range.
#pragma once

#include <array>
#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <boost/describe.hpp>
#include <boost/json.hpp>

namespace viaduct::daemon::config::described {

template <class T>
struct is_duration : std::false_type {};
template <class Rep, class Period>
struct is_duration<std::chrono::duration<Rep, Period>> : std::true_type {};
template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};
template <class T>
struct is_array : std::false_type {};
template <class T, std::size_t N>
struct is_array<std::array<T, N>> : std::true_type {};

[[noreturn]] inline void mismatch(boost::json::error code) {
  throw boost::system::system_error(make_error_code(code));
}

template <class T>
using Members = boost::describe::describe_members<T, boost::describe::mod_public>;

template <class T>
boost::json::value write(const T& data) {
  if constexpr (std::is_enum_v<T>) {
    return boost::json::string(boost::describe::enum_to_string(data, ""));
  } else if constexpr (is_duration<T>::value) {
    return static_cast<std::int64_t>(data.count());
  } else if constexpr (is_optional<T>::value) {
    return data ? write(*data) : boost::json::value(nullptr);
  } else if constexpr (is_vector<T>::value || is_array<T>::value) {
    boost::json::array items;
    for (const auto& item : data) items.push_back(write(item));
    return items;
  } else if constexpr (boost::describe::has_describe_members<T>::value) {
    boost::json::object members;
    boost::mp11::mp_for_each<Members<T>>(
        [&](auto member) { members.emplace(member.name, write(data.*member.pointer)); });
    return members;
  } else {
    return boost::json::value_from(data);
  }
}

template <class T>
void read(const boost::json::value& json, T& data) {
  if constexpr (std::is_enum_v<T>) {
    if (!boost::describe::enum_from_string(json.as_string().c_str(), data))
      mismatch(boost::json::error::unknown_name);
  } else if constexpr (is_duration<T>::value) {
    data = T(json.to_number<typename T::rep>());
  } else if constexpr (is_optional<T>::value) {
    if (json.is_null()) return data.reset();
    read(json, data.emplace());
  } else if constexpr (is_vector<T>::value) {
    data.clear();
    for (const auto& item : json.as_array()) read(item, data.emplace_back());
  } else if constexpr (is_array<T>::value) {
    const auto& items = json.as_array();
    if (items.size() != data.size()) mismatch(boost::json::error::size_mismatch);
    for (std::size_t index = 0; index < data.size(); ++index) read(items[index], data[index]);
  } else if constexpr (boost::describe::has_describe_members<T>::value) {
    const auto& members = json.as_object();
    if (members.size() != boost::mp11::mp_size<Members<T>>::value)
      mismatch(boost::json::error::size_mismatch);
    boost::mp11::mp_for_each<Members<T>>(
        [&](auto member) { read(members.at(member.name), data.*member.pointer); });
  } else {
    data = boost::json::value_to<T>(json);
  }
}

}  // namespace viaduct::daemon::config::described

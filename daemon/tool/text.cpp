#include "daemon/tool/text.hpp"

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <vector>

#include "daemon/tool/fields.hpp"
#include "daemon/tool/table.hpp"

namespace viaduct::daemon::tool {

namespace {

namespace json = boost::json;

std::string number(const json::value& object, std::string_view name) {
  return std::to_string(number_of(object, name));
}

std::string plural(std::int64_t count, const std::string& word) {
  return std::to_string(count) + " " + word + (count == 1 ? "" : "s");
}

std::string memory_text(std::int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f MiB", static_cast<double>(bytes) / (1 << 20));
  return text;
}

std::string generations_text(const json::value& answer) {
  std::string text;
  for (const json::value& generation : array_of(answer, "generations")) {
    text += "generation " + number(generation, "number") + " " + text_of(generation, "state");
    const auto bridge = number_of(generation, "bridge_pid");
    text += bridge == 0 ? ", no bridge\n" : ", bridge " + std::to_string(bridge) + "\n";
  }
  return text;
}

std::string listeners_text(const json::value& answer) {
  std::string text;
  for (const json::value& listener : array_of(answer, "listeners")) {
    text += text_of(listener, "protocol") + " at " + text_of(listener, "address") + " for";
    const char* separator = " ";
    for (const json::value& app : array_of(listener, "apps")) {
      if (app.is_string()) text += separator + printable(app.get_string().c_str());
      separator = ", ";
    }
    text += '\n';
    const std::string failure = text_of(listener, "failure");
    if (!failure.empty()) text += "  refuses clients: " + failure + "\n";
  }
  return text;
}

std::string joined(const json::value& answer, std::string_view name) {
  std::string text;
  for (const json::value& item : array_of(answer, name)) {
    if (!item.is_string()) continue;
    text += (text.empty() ? "" : ", ") + printable(item.get_string().c_str());
  }
  return text;
}

bool has_bridge(const json::value& answer) {
  const auto generations = array_of(answer, "generations");
  return std::any_of(generations.begin(), generations.end(), [](const json::value& generation) {
    return number_of(generation, "bridge_pid") != 0;
  });
}

// How much of it the current bridge is in. Daemons before this one say nothing of it.
std::string sandbox_text(const json::value& answer) {
  if (find_member(answer, "sandbox") == nullptr) return {};
  if (!has_bridge(answer)) return "sandbox of the bridge: there is no bridge\n";
  const std::string parts = joined(answer, "sandbox");
  const std::string lacks = joined(answer, "sandbox_lacks");
  if (lacks.empty()) return "sandbox of the bridge: " + (parts.empty() ? "off" : parts) + "\n";
  return "sandbox of the bridge: " + (parts.empty() ? "none" : parts) +
         "; not available: " + lacks + "\n";
}

// What is said of an app's canaries; null when it is none.
const json::value* canary_of(const json::value& app) {
  const json::value* canary = find_member(app, "canary");
  return canary != nullptr && canary->is_object() ? canary : nullptr;
}

std::string ratio_text(std::int64_t errors, std::int64_t requests) {
  return plural(errors, "error") + " in " + plural(requests, "request");
}

// How canaries do beside the other workers of their app.
std::string canary_text(const json::value& answer, const json::value& pool,
                        const json::value& canary) {
  const std::string name = text_of(canary, "app");
  const std::string header = text_of(canary, "header");
  const auto& apps = array_of(answer, "apps");
  const auto app = std::find_if(apps.begin(), apps.end(), [&](const json::value& candidate) {
    return text_of(candidate, "name") == name;
  });
  const auto requests = number_of(pool, "requests");
  const auto errors = number_of(pool, "errors");
  const std::string share = text_of(canary, "share");
  std::string text = text_of(pool, "name") + ": ";
  if (share != "0%") text += share + " of the requests";
  if (!header.empty()) text += (share != "0%" ? " and those with " : "requests with ") + header;
  text += ": " + ratio_text(errors, requests);
  if (app != apps.end()) {
    text += ", the others " +
            ratio_text(number_of(*app, "errors") - errors, number_of(*app, "requests") - requests);
  }
  return text + "\n";
}

std::string apps_text(const json::value& answer) {
  Table table({"APP", "STATE", ">READY", ">ACTIVE", ">QUEUED", ">REQUESTS", ">ERRORS", ">FAILED",
               ">ABORTED", ">RETRIED", ">TIMEOUTS"});
  std::string remarks;
  for (const json::value& app : array_of(answer, "apps")) {
    const auto& workers = array_of(app, "workers");
    const auto ready = std::count_if(workers.begin(), workers.end(), [](const auto& worker) {
      return text_of(worker, "state") == "ready";
    });
    const std::string state = text_of(app, "state");
    const json::value* canary = canary_of(app);
    const auto count = [&](std::string_view name) {
      return canary == nullptr ? number(app, name) : "-";
    };
    const bool connects = !array_of(app, "servers").empty();
    table.add({text_of(app, "name"), state,
               connects ? "-" : std::to_string(ready) + "/" + number(app, "wanted"),
               count("active"), count("queued"), number(app, "requests"), number(app, "errors"),
               count("failed"), count("aborted"), count("retried"), count("timeouts")});
    if (canary != nullptr) remarks += canary_text(answer, app, *canary);
    const std::string failure = text_of(app, "failure");
    if (!failure.empty()) {
      remarks += text_of(app, "name") + ": last failure: " + failure + "\n";
    }
    const std::string behind = text_of(app, "behind");
    if (!behind.empty()) {
      remarks += text_of(app, "name") + ": behind the configuration file: " + behind + "\n";
    }
  }
  return table.empty() ? "" : "\n" + table.text() + remarks;
}

std::string workers_text(const json::value& answer) {
  Table table({"WORKER", ">PID", "STATE", ">REQUESTS", ">MEMORY", ">UP"});
  for (const json::value& app : array_of(answer, "apps")) {
    for (const json::value& worker : array_of(app, "workers")) {
      table.add({text_of(worker, "name"), number(worker, "pid"), text_of(worker, "state"),
                 number(worker, "requests"), memory_text(number_of(worker, "memory")),
                 duration_text(number_of(worker, "uptime_ms"))});
    }
  }
  return table.empty() ? "" : "\n" + table.text();
}

// Those that others run.
std::string servers_text(const json::value& answer) {
  Table table({"APP", "SERVER", "STATE", ">ACTIVE", ">REQUESTS"});
  std::string remarks;
  for (const json::value& app : array_of(answer, "apps")) {
    for (const json::value& server : array_of(app, "servers")) {
      const std::string name = text_of(server, "name");
      table.add({text_of(app, "name"), name, text_of(server, "state"), number(server, "active"),
                 number(server, "requests")});
      const std::string failure = text_of(server, "failure");
      if (!failure.empty()) remarks.append(name).append(": ").append(failure).append("\n");
    }
  }
  return table.empty() ? "" : "\n" + table.text() + remarks;
}

std::string worker_text(const json::value& request) {
  const auto pid = number_of(request, "worker_pid");
  return pid == 0 ? "-" : std::to_string(pid);
}

// What a request's handler does, where that was asked for.
std::string stack_text(const json::value& request) {
  std::string text;
  for (const json::value& frame : array_of(request, "stack")) {
    if (frame.is_string()) text += "    " + printable(frame.get_string().c_str()) + "\n";
  }
  const std::string missing = text_of(request, "no_stack");
  if (!missing.empty()) text += "    (no stack: " + missing + ")\n";
  return text;
}

// With a text of its own under each row.
std::string interleave(const Table& table, const std::vector<std::string>& details) {
  std::istringstream rows(table.text());
  std::string text;
  std::string row;
  std::getline(rows, row);
  text += row + '\n';
  for (const std::string& detail : details) {
    std::getline(rows, row);
    text.append(row).append("\n").append(detail);
  }
  return text;
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

}  // namespace

std::string duration_text(std::int64_t milliseconds) {
  const std::int64_t seconds = milliseconds / 1000;
  const auto pair = [](std::int64_t large, const char* unit, std::int64_t small,
                       const char* smaller) {
    return std::to_string(large) + unit + " " + std::to_string(small) + smaller;
  };
  if (seconds >= 86'400) return pair(seconds / 86'400, "d", seconds / 3600 % 24, "h");
  if (seconds >= 3600) return pair(seconds / 3600, "h", seconds / 60 % 60, "m");
  if (seconds >= 60) return pair(seconds / 60, "m", seconds % 60, "s");
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f s", static_cast<double>(milliseconds) / 1000.0);
  return text;
}

std::string status_text(const json::value& answer) {
  std::string text = "viaductd " + text_of(answer, "version") + " " + text_of(answer, "state") +
                     ", pid " + number(answer, "pid") + ", up " +
                     duration_text(number_of(answer, "uptime_ms")) + ", " +
                     plural(number_of(answer, "connections"), "connection") + "\n";
  text += "configuration " + text_of(answer, "file") + "\n";
  const std::string reload = text_of(answer, "last_reload");
  if (!reload.empty()) text += "last reload: " + reload + "\n";
  if (const auto violations = number_of(answer, "violations"); violations > 0) {
    text += plural(violations, "bridge") + " ended for breaking the rules of the channel\n";
  }
  return text + sandbox_text(answer) + generations_text(answer) + listeners_text(answer) +
         apps_text(answer) + workers_text(answer) + servers_text(answer);
}

std::string requests_text(const json::value& answer) {
  std::vector<const json::value*> requests;
  std::string remarks;
  for (const json::value& bridge : array_of(answer, "bridges")) {
    for (const json::value& request : array_of(bridge, "requests")) requests.push_back(&request);
    const std::string generation = "generation " + number(bridge, "generation");
    if (!flag_of(bridge, "answered")) {
      remarks += "not complete: the bridge of " + generation + " did not answer in time\n";
    }
    if (number_of(bridge, "omitted") > 0) {
      remarks += plural(number_of(bridge, "omitted"), "younger request") + " of " + generation +
                 " left out\n";
    }
  }
  std::stable_sort(requests.begin(), requests.end(), [](const auto* left, const auto* right) {
    return number_of(*left, "age_ms") > number_of(*right, "age_ms");
  });
  Table table({">AGE", "STATE", ">WORKER", "ID", "REQUEST"});
  std::vector<std::string> stacks;
  for (const json::value* request : requests) {
    table.add({duration_text(number_of(*request, "age_ms")), text_of(*request, "state"),
               worker_text(*request), or_dash(text_of(*request, "id")),
               text_of(*request, "method") + " " + text_of(*request, "target")});
    stacks.push_back(stack_text(*request));
  }
  return (table.empty() ? "no requests in flight\n" : interleave(table, stacks)) + remarks;
}

std::string error_text(const json::value& answer) {
  std::string text;
  for (const json::value& error : array_of(answer, "errors")) {
    if (error.is_string()) text += printable(error.get_string().c_str()) + "\n";
  }
  const std::string reason = text_of(answer, "error");
  return text + "viaduct: " + (reason.empty() ? "viaductd gave no reason" : reason) + "\n";
}

std::string warnings_text(const json::value& answer) {
  std::string text;
  for (const json::value& warning : array_of(answer, "warnings")) {
    if (warning.is_string()) text += "warning: " + printable(warning.get_string().c_str()) + "\n";
  }
  return text;
}

}  // namespace viaduct::daemon::tool

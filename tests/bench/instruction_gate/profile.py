"""Reads a profile that callgrind wrote (https://valgrind.org/docs/manual/cl-format.html).

callgrind_annotate is not used: it adds up the program's `summary`, which leaves out threads."""

import collections
import re

_COST = re.compile(r"[-+*\d]\S* (\d+)$")
_NAME = re.compile(r"c?fn=\((\d+)\)(?: (.*))?$")


def functions(lines):
    """Counter of the instructions that each function executed itself."""
    names = {}
    costs = collections.Counter()
    function = None
    of_callee = False
    for line in lines:
        line = line.rstrip()
        named = _NAME.match(line)
        if named:
            if named[2] is not None:
                names[named[1]] = named[2]
            if line.startswith("fn="):
                function = names[named[1]]
        elif line.startswith("calls="):
            of_callee = True
        elif cost := _COST.match(line):
            if not of_callee:
                costs[function] += int(cost[1])
            of_callee = False
    return costs


def difference(short, long, requests):
    """Instructions per request of what the longer of two runs did more, by function."""
    return {name: (long[name] - short[name]) / requests for name in long.keys() | short.keys()}


def total(costs):
    """Instructions per request of all functions."""
    return round(sum(costs.values()))


def most_expensive(costs, count):
    """Lines: the functions that execute most instructions per request."""
    whole = sum(costs.values())
    for name in sorted(costs, key=lambda one: (-costs[one], one))[:count]:
        yield f"{costs[name]:10,.1f} {costs[name] / whole:6.1%}  {shorten(name)}"


def shorten(name, length=110):
    """A function's name without what every one has."""
    name = name.replace("viaduct::v1::detail::", "").replace("viaduct::", "")
    name = re.sub(r"std::basic_string_view<char, std::char_traits<char> >", "string_view", name)
    name = re.sub(r"std::__cxx11::basic_string<char, std::char_traits<char>, "
                  r"std::allocator<char> >", "string", name)
    return name if len(name) <= length else name[:length - 3] + "..."

"""The toolchain of a build directory: another one makes other instructions of the same source."""

import platform
import re
import subprocess


def read_cache(text):
    """Variables of a CMakeCache.txt."""
    return dict(re.findall(r"^([\w-]+):\w+=(.*)$", text, re.MULTILINE))


def is_on(value):
    """Whether CMake takes a variable with this value for true."""
    return value.upper() in ("1", "ON", "TRUE", "Y", "YES")


def compiler_of(version_line):
    """First line that `CXX --version` prints, under whichever name it was called."""
    if "clang" in version_line:
        return version_line
    return re.sub(r"^\S+ ", "g++ ", version_line)


def toolchain_of(cache):
    """Properties of a build that figures depend on, by name."""
    version = subprocess.run([cache["CMAKE_CXX_COMPILER"], "--version"], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
    flags = [cache.get("CMAKE_CXX_FLAGS", ""),
             cache.get("CMAKE_CXX_FLAGS_" + cache.get("CMAKE_BUILD_TYPE", "").upper(), "")]
    boost = re.search(r"Boost-([\d.]+)", cache.get("Boost_DIR", ""))
    return {
        "compiler": compiler_of(version.splitlines()[0]),
        "flags": " ".join(filter(None, flags)),
        "sanitizer": cache.get("VIADUCT_SANITIZE") or "none",
        "libraries": "shared" if is_on(cache.get("BUILD_SHARED_LIBS", "")) else "static",
        "libc": platform.libc_ver()[1],
        "boost": boost[1] if boost else "unknown",
        "machine": platform.machine(),
    }

#pragma once

namespace viaduct::test {

// g++ defines a macro for each sanitizer, clang has a feature.
#ifdef __has_feature
#define VIADUCT_HAS_FEATURE(feature) __has_feature(feature)
#else
#define VIADUCT_HAS_FEATURE(feature) 0
#endif

/// Whether AddressSanitizer watches this program.
#if defined(__SANITIZE_ADDRESS__) || VIADUCT_HAS_FEATURE(address_sanitizer)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif

/// Whether ThreadSanitizer watches this program.
#if defined(__SANITIZE_THREAD__) || VIADUCT_HAS_FEATURE(thread_sanitizer)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif

#undef VIADUCT_HAS_FEATURE

}  // namespace viaduct::test

#pragma once

/// Marks what a shared build of libviaduct exports. Without effect for static builds.
#define VIADUCT_API __attribute__((visibility("default")))

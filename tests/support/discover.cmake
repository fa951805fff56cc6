# viaduct_discover_tests(TARGET [PREFIX prefix] [LABEL label] [TIMEOUT seconds] [SHARDS number])
#
# Registers the GoogleTest cases of TARGET with ctest, each as a test of its own that may take
# TIMEOUT seconds (120). LABEL is `unit` unless given.
#
# A sanitizer's start takes longer than most cases. In a sanitizer build with SHARDS, so many tests
# share the cases out instead, TARGET.shard1 and so on. run_shard.py runs them: it holds each case
# to TIMEOUT, and reports by case.
function(viaduct_discover_tests target)
  # Libraries under test are optimised. The tests themselves are sooner compiled than run.
  target_compile_options(${target} PRIVATE -O0 -U_FORTIFY_SOURCE)
  target_precompile_headers(${target} REUSE_FROM test_headers)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PREFIX;LABEL;TIMEOUT;SHARDS" "")
  if(NOT arg_LABEL)
    set(arg_LABEL unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(NOT VIADUCT_SANITIZE OR NOT arg_SHARDS)
    gtest_discover_tests(${target} TEST_PREFIX "${arg_PREFIX}"
      PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT})
    return()
  endif()
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  foreach(shard RANGE 1 ${arg_SHARDS})
    set(name ${target}.shard${shard})
    add_test(NAME ${name}
      COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tests/support/run_shard.py
        ${name} ${shard} ${arg_SHARDS} ${arg_TIMEOUT} $<TARGET_FILE:${target}>)
    # run_shard.py ends what hangs, and says which case did. The longest tests are started first.
    set_tests_properties(${name} PROPERTIES LABELS ${arg_LABEL} TIMEOUT 1500 COST 100)
  endforeach()
endfunction()

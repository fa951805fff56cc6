# Makes it harder to turn a fault in what is built here into control over the process. Included by
# the directories of what is installed. Each flag only if the compiler has it; none with
# sanitizers, which find the same faults and more. tests/hardening.py reads the result off the
# binaries.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT VIADUCT_SANITIZE)
  include(CheckCXXCompilerFlag)
  include(CheckPIESupported)
  check_pie_supported()
  # -fcf-protection is of x86, -mbranch-protection of arm64. The paths of the checkout are cut off
  # the file names in debugging information.
  foreach(flag -fstack-protector-strong -fstack-clash-protection -fcf-protection
          -mbranch-protection=standard "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
    string(MAKE_C_IDENTIFIER "viaduct_has${flag}" known)
    check_cxx_compiler_flag(${flag} ${known})
    if(${known})
      add_compile_options(${flag})
    endif()
  endforeach()
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
                      $<$<COMPILE_LANGUAGE:CXX>:-D_GLIBCXX_ASSERTIONS>)
  set(viaduct_hardened ON PARENT_SCOPE)
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
endif()

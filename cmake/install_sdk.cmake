# Installs libviaduct such that find_package(viaduct CONFIG) and pkg-config find it.
include(CMakePackageConfigHelpers)

set(viaduct_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/viaduct)

install(TARGETS viaduct viaduct_testing EXPORT viaductTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT sdk
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT sdk
)
install(FILES ${viaduct_public_headers}
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/viaduct COMPONENT sdk)
install(EXPORT viaductTargets NAMESPACE viaduct:: DESTINATION ${viaduct_package_dir} COMPONENT sdk)

get_target_property(viaduct_library_type viaduct TYPE)
set(viaduct_is_static OFF)
if(viaduct_library_type STREQUAL "STATIC_LIBRARY")
  set(viaduct_is_static ON)
else()
  # Boost.Asio makes its classes visible whatever the compiler is told; an application may have
  # another version of it.
  target_link_options(viaduct PRIVATE -Wl,--version-script=${CMAKE_SOURCE_DIR}/cmake/viaduct.map)
  set_property(TARGET viaduct APPEND PROPERTY LINK_DEPENDS ${CMAKE_SOURCE_DIR}/cmake/viaduct.map)
endif()
configure_package_config_file(
  ${CMAKE_SOURCE_DIR}/cmake/viaductConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/viaductConfig.cmake
  INSTALL_DESTINATION ${viaduct_package_dir}
)
write_basic_package_version_file(
  ${CMAKE_CURRENT_BINARY_DIR}/viaductConfigVersion.cmake COMPATIBILITY SameMinorVersion
)
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/viaductConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/viaductConfigVersion.cmake
  DESTINATION ${viaduct_package_dir} COMPONENT sdk
)

# What a static library needs has to be named by everybody who links it.
set(viaduct_pc_private "-lboost_context -lbacktrace -lcrypto -ldl -pthread")
set(viaduct_pc_libs "-lviaduct")
file(RELATIVE_PATH viaduct_pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
if(viaduct_is_static)
  set(viaduct_pc_libs "-lviaduct ${viaduct_pc_private}")
endif()
configure_file(${CMAKE_SOURCE_DIR}/cmake/viaduct.pc.in ${CMAKE_CURRENT_BINARY_DIR}/viaduct.pc @ONLY)
configure_file(${CMAKE_SOURCE_DIR}/cmake/viaduct-testing.pc.in
               ${CMAKE_CURRENT_BINARY_DIR}/viaduct-testing.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/viaduct.pc ${CMAKE_CURRENT_BINARY_DIR}/viaduct-testing.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT sdk)

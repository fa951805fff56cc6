# Installs beside viaductd and viaduct: systemd units, documentation, the sites of conf/. Nothing goes
# to /etc, where the operator's own files are.
set(viaduct_doc_dir ${CMAKE_INSTALL_DATADIR}/doc/viaduct)

# install_adapted(FILE DIRECTORY): the file, which is written for the prefix /usr, naming paths below
# the prefix that `cmake --install` is told.
function(install_adapted file directory)
  install(CODE "set(viaduct_file \"${CMAKE_SOURCE_DIR}/${file}\")
set(viaduct_directory \"${directory}\")
set(viaduct_sbin_dir \"${CMAKE_INSTALL_SBINDIR}\")
set(viaduct_bin_dir \"${CMAKE_INSTALL_BINDIR}\")
set(viaduct_doc_dir \"${viaduct_doc_dir}\")")
  install(SCRIPT ${CMAKE_SOURCE_DIR}/cmake/install_adapted.cmake)
endfunction()

# Not below the prefix's lib/<architecture>: systemd looks in lib/ alone.
install(FILES ${CMAKE_SOURCE_DIR}/contrib/systemd/viaduct.sysusers
        DESTINATION lib/sysusers.d RENAME viaduct.conf)
install(FILES ${CMAKE_SOURCE_DIR}/contrib/systemd/viaductd.socket DESTINATION lib/systemd/system)
install_adapted(contrib/systemd/viaductd.service lib/systemd/system)
install_adapted(contrib/systemd/viaductd@.service lib/systemd/system)

# The pages lie to each other as in the checkout, so that their links hold.
foreach(page LICENSE README.md SECURITY.md daemon/README.md protocol/README.md sdk/README.md
        sdk/cookbook.md sdk/src/README.md sdk/src/runtime/README.md)
  cmake_path(GET page PARENT_PATH folder)
  install(FILES ${CMAKE_SOURCE_DIR}/${page} DESTINATION ${viaduct_doc_dir}/${folder})
endforeach()
install(DIRECTORY ${CMAKE_SOURCE_DIR}/sdk/include DESTINATION ${viaduct_doc_dir}/sdk)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/conf DESTINATION ${viaduct_doc_dir})
install_adapted(conf/minimal.yaml ${viaduct_doc_dir}/conf)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/contrib/scale-out DESTINATION ${viaduct_doc_dir}/contrib)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/contrib/systemd DESTINATION ${viaduct_doc_dir}/contrib)
install(PROGRAMS ${CMAKE_SOURCE_DIR}/contrib/make-user ${CMAKE_SOURCE_DIR}/contrib/install-packages
        DESTINATION ${viaduct_doc_dir}/contrib)

install(CODE "message(STATUS \"The bridge runs as user viaduct, unless bridge.user says otherwise; \"
  \"make it with: systemd-sysusers \${CMAKE_INSTALL_PREFIX}/lib/sysusers.d/viaduct.conf\")")

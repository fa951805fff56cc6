# Run by `cmake --install`: installs viaduct_file into viaduct_directory and writes the prefix where
# the file says /usr (see install_daemon.cmake).
set(viaduct_target "${CMAKE_INSTALL_PREFIX}/${viaduct_directory}")
file(INSTALL "${viaduct_file}" DESTINATION "${viaduct_target}")
cmake_path(GET viaduct_file FILENAME viaduct_name)
file(READ "${viaduct_file}" viaduct_text)
foreach(pair "sbin:${viaduct_sbin_dir}" "bin:${viaduct_bin_dir}" "lib/viaduct:lib/viaduct"
        "share/doc/viaduct:${viaduct_doc_dir}")
  string(REGEX MATCH "^([^:]*):(.*)$" pair "${pair}")
  set(written "/usr/${CMAKE_MATCH_1}/")
  cmake_path(ABSOLUTE_PATH CMAKE_MATCH_2 BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}"
             OUTPUT_VARIABLE installed)
  # A mark first: the prefix may itself contain what is replaced next.
  string(REPLACE "${written}" "@${CMAKE_MATCH_1}@" viaduct_text "${viaduct_text}")
  list(APPEND viaduct_marks "@${CMAKE_MATCH_1}@" "${installed}/")
endforeach()
while(viaduct_marks)
  list(POP_FRONT viaduct_marks mark installed)
  string(REPLACE "${mark}" "${installed}" viaduct_text "${viaduct_text}")
endwhile()
file(WRITE "$ENV{DESTDIR}${viaduct_target}/${viaduct_name}" "${viaduct_text}")

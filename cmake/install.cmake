# Headers, both libraries, a pkg-config file and a CMake package; from cli/ what it has.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(AKIDB_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/akidb)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/akidb DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h")
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE
  DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/akidb)

# Two export sets: who links the shared library needs no development package of what it is built on.
install(TARGETS akidb EXPORT akidbTargets DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS akidb_static akidb_dependencies EXPORT akidbStaticTargets
  DESTINATION ${CMAKE_INSTALL_LIBDIR})
foreach(set akidbTargets akidbStaticTargets)
  install(EXPORT ${set} NAMESPACE akidb:: DESTINATION ${AKIDB_CMAKE_DIR})
endforeach()
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/akidbConfig.cmake.in
  ${PROJECT_BINARY_DIR}/package/akidbConfig.cmake INSTALL_DESTINATION ${AKIDB_CMAKE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/akidbConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/package/akidbConfig.cmake
              ${PROJECT_BINARY_DIR}/package/akidbConfigVersion.cmake
  DESTINATION ${AKIDB_CMAKE_DIR})

# The prefix is worked out from where the file lies, so that a staged or moved tree works too.
file(RELATIVE_PATH AKIDB_PC_PREFIX /root/${CMAKE_INSTALL_LIBDIR}/pkgconfig /root)
configure_file(${PROJECT_SOURCE_DIR}/cmake/akidb.pc.in ${PROJECT_BINARY_DIR}/package/akidb.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/package/akidb.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(TARGET akidb_cli)
  set(pages ${PROJECT_BINARY_DIR}/cli)
  install(TARGETS akidb_cli DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(FILES ${pages}/akidb.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${pages}/akidb.bash RENAME akidb
    DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/bash-completion/completions)
  install(FILES ${pages}/_akidb DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/zsh/site-functions)
  install(FILES ${pages}/akidb.fish
    DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/fish/vendor_completions.d)
endif()

# Libraries from the distribution; `make setup` installs them. No vendored code.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(ZLIB REQUIRED)
find_package(CURL 7.85 REQUIRED)
find_package(EXPAT REQUIRED)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(LZ4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(YAJL REQUIRED IMPORTED_TARGET yajl)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
find_library(SNAPPY_LIBRARY snappy REQUIRED) # Debian's package has no pkg-config file
find_path(SNAPPY_INCLUDE_DIR snappy-c.h REQUIRED)

add_library(akidb_dependencies INTERFACE)
target_include_directories(akidb_dependencies SYSTEM INTERFACE ${SNAPPY_INCLUDE_DIR})
target_link_libraries(akidb_dependencies INTERFACE PkgConfig::ZSTD PkgConfig::LZ4 PkgConfig::ISAL
  PkgConfig::XXHASH PkgConfig::YAJL PkgConfig::SQLITE ZLIB::ZLIB CURL::libcurl EXPAT::EXPAT
  OpenSSL::Crypto ${SNAPPY_LIBRARY} Threads::Threads m)

# Language, warnings and sanitizers, the same for every target.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O3 -g -DNDEBUG")

add_compile_definitions(_GNU_SOURCE _FILE_OFFSET_BITS=64)
add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes
                    -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wundef -Wvla
                    -fno-omit-frame-pointer)
if(AKIDB_WERROR)
  add_compile_options(-Werror)
endif()
if(AKIDB_SANITIZE)
  add_compile_options(-fsanitize=${AKIDB_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${AKIDB_SANITIZE})
endif()

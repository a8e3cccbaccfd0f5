# libakidb, shared and static, from the objects of all layers.
akidb_layer_objects(objects ${AKIDB_LAYER_NAMES})

add_library(akidb SHARED ${objects})
set_target_properties(akidb PROPERTIES
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
target_link_options(akidb PRIVATE -Wl,--no-undefined)

add_library(akidb_static STATIC ${objects})
set_target_properties(akidb_static PROPERTIES OUTPUT_NAME akidb)

foreach(library akidb akidb_static)
  target_include_directories(${library} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
endforeach()
target_link_libraries(akidb PRIVATE akidb_dependencies)
target_link_libraries(akidb_static PRIVATE akidb_dependencies)
if(AKIDB_SANITIZE)
  # A shared library under ASan leaves the runtime's symbols to the program.
  target_link_options(akidb PRIVATE -Wl,--unresolved-symbols=ignore-in-object-files)
endif()

# The one-way rule: a folder of src/ includes only itself, public headers, and the folders that are
# named for it here, all of a strictly lower layer. Each folder is an object library whose include
# path holds links to just those folders, so that a forbidden include does not compile. The list is
# the only place where the order is written; tools/check_layers reads it too.
set(AKIDB_LAYERS
  "base 0"
  "os 1 base"
  "codec 1 base"
  "json 1 base"
  "net 2 base os"
  "document 2 base os json"
  "parquet 3 base os codec document"
  "store 3 base os json net"
  "wal 3 base os"
  "formats 4 base os codec json document parquet"
  "snapshot 5 base os codec json document parquet store formats"
  "storage 6 base os json document snapshot wal"
  "tiering 7 base os storage")

set(AKIDB_LAYER_NAMES "")

# What a target that is allowed to see `folders` of src/ needs on its include path.
function(akidb_layer_includes target)
  set(links ${CMAKE_BINARY_DIR}/layers/${target})
  file(REMOVE_RECURSE ${links})
  file(MAKE_DIRECTORY ${links})
  foreach(folder IN LISTS ARGN)
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/src/${folder} ${links}/${folder} SYMBOLIC)
  endforeach()
  target_include_directories(${target} PRIVATE ${links} ${PROJECT_SOURCE_DIR}/include)
endfunction()

macro(akidb_add_layers)
  foreach(line IN LISTS AKIDB_LAYERS)
    separate_arguments(words UNIX_COMMAND "${line}")
    list(POP_FRONT words folder number)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*.c)
    set(AKIDB_LAYER_SEES_${folder} ${folder} ${words})
    # What it links is more: what the folders that it sees need in turn. Those came before it.
    set(AKIDB_LAYER_LINKS_${folder} ${folder})
    foreach(word IN LISTS words)
      list(APPEND AKIDB_LAYER_LINKS_${folder} ${AKIDB_LAYER_LINKS_${word}})
    endforeach()
    list(REMOVE_DUPLICATES AKIDB_LAYER_LINKS_${folder})
    if(sources)
      add_library(akidb_${folder} OBJECT ${sources})
      akidb_layer_includes(akidb_${folder} ${folder} ${words})
      target_link_libraries(akidb_${folder} PRIVATE akidb_dependencies)
      list(APPEND AKIDB_LAYER_NAMES ${folder})
    endif()
  endforeach()
endmacro()

# The objects of these folders and of those that they need, as generator expressions for a target's
# sources.
function(akidb_layer_objects out)
  set(objects "")
  set(folders "")
  foreach(folder IN LISTS ARGN)
    list(APPEND folders ${AKIDB_LAYER_LINKS_${folder}})
  endforeach()
  list(REMOVE_DUPLICATES folders)
  foreach(folder IN LISTS folders)
    if(TARGET akidb_${folder})
      list(APPEND objects $<TARGET_OBJECTS:akidb_${folder}>)
    endif()
  endforeach()
  set(${out} ${objects} PARENT_SCOPE)
endfunction()

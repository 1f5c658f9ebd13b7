# tw_module(folder USES modules... LIBRARIES targets...): all .c files of src/folder as the static library tw_<name>.
# main.c is left to the executable. A folder without sources becomes an interface library, so that arrows may name it.
function(tw_module folder)
  cmake_parse_arguments(ARG "" "" "USES;LIBRARIES" ${ARGN})
  tw_module_name(${folder} name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${folder}/*.c)
  list(REMOVE_ITEM sources ${CMAKE_SOURCE_DIR}/src/cli/main.c)
  set(links)
  foreach(use ${ARG_USES})
    tw_module_name(${use} used)
    list(APPEND links ${used})
  endforeach()
  if(sources)
    add_library(${name} STATIC ${sources})
    target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
    target_link_libraries(${name} PUBLIC ${links} ${ARG_LIBRARIES})
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
    target_link_libraries(${name} INTERFACE ${links} ${ARG_LIBRARIES})
  endif()
endfunction()

function(tw_module_name folder ret_name)
  get_filename_component(last ${folder} NAME)
  set(${ret_name} tw_${last} PARENT_SCOPE)
endfunction()

# The vector kernels: one source, compiled once per instruction set; which one runs is chosen at start.
function(tw_kernels folder)
  set(common -fopenmp-simd -ffp-contract=fast -fno-math-errno)
  if(CMAKE_C_COMPILER_ID MATCHES Clang)
    list(APPEND common -Wno-pass-failed) # the coverage of a fuzzing build keeps its loops scalar; clang says so, and that is all right
  endif()
  set_source_files_properties(${folder}/kernels_plain.c PROPERTIES COMPILE_OPTIONS "${common}")
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64|AMD64")
    set_source_files_properties(${folder}/kernels_avx2.c PROPERTIES COMPILE_OPTIONS "${common};-mavx2;-mfma")
    set_source_files_properties(${folder}/kernels_avx512.c PROPERTIES COMPILE_OPTIONS
      "${common};-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mfma;-mprefer-vector-width=512")
  endif()
endfunction()

# Puts files into a module as bytes: tw_embed(target TABLE name HEADER path FILES patterns...) generates a source that defines
# the table, which the header declares; made again when one of the files changes.
function(tw_embed target)
  cmake_parse_arguments(ARG "" "TABLE;HEADER" "FILES" ${ARGN})
  list(TRANSFORM ARG_FILES PREPEND ${CMAKE_SOURCE_DIR}/)
  file(GLOB files CONFIGURE_DEPENDS ${ARG_FILES})
  set(out ${CMAKE_BINARY_DIR}/${ARG_TABLE}.c)
  string(REPLACE ";" "|" list "${files}")
  add_custom_command(OUTPUT ${out} DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake VERBATIM
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DTABLE=${ARG_TABLE} -DHEADER=${ARG_HEADER} -DFILES=${list}
            -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake)
  target_sources(${target} PRIVATE ${out})
endfunction()

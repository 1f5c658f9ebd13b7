# libtailwater: what src/embed reaches, and nothing else: with archives the linker takes the objects that are needed, so that an embedding
# program gets neither Kafka nor HTTP. Exports are src/embed/libtailwater.map. And what `make install` puts where.
include(GNUInstallDirs)

set(exports ${CMAKE_SOURCE_DIR}/src/embed/libtailwater.map)
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/embed/*.c)
add_library(libtailwater SHARED ${sources})
target_link_libraries(libtailwater PRIVATE tw_engine)
target_link_options(libtailwater PRIVATE -Wl,--version-script=${exports} -Wl,--as-needed)
set_target_properties(libtailwater PROPERTIES OUTPUT_NAME tailwater VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR} LINK_DEPENDS ${exports} LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
if(NOT TW_SANITIZE) # a sanitizer's own symbols come from the executable
  target_link_options(libtailwater PRIVATE -Wl,--no-undefined)
endif()

# The prefix is known when things are installed, not when they are built.
install(CODE "set(CMAKE_INSTALL_LIBDIR ${CMAKE_INSTALL_LIBDIR})\nset(CMAKE_INSTALL_INCLUDEDIR ${CMAKE_INSTALL_INCLUDEDIR})
set(TW_VERSION ${PROJECT_VERSION})
configure_file(${CMAKE_SOURCE_DIR}/src/embed/tailwater.pc.in ${CMAKE_BINARY_DIR}/tailwater.pc @ONLY)")
install(FILES ${CMAKE_BINARY_DIR}/tailwater.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(TARGETS tailwater RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS libtailwater LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/tailwater DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)
install(DIRECTORY schemas DESTINATION ${CMAKE_INSTALL_DATADIR}/tailwater FILES_MATCHING PATTERN *.avsc)
install(FILES config/tailwater.yaml config/prometheus-alerts.yaml config/grafana-dashboard.json DESTINATION ${CMAKE_INSTALL_DATADIR}/tailwater)

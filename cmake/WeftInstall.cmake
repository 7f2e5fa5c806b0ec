# SPDX-License-Identifier: MIT
# Installing, and the package that finds it again.
include(CMakePackageConfigHelpers)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Weft)
install(DIRECTORY include/weft DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
# a static library is delivered whole: the objects are in it, only what they link with is named
install(TARGETS weft EXPORT WeftTargets
	ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
	LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(WEFT_PLUGINS STREQUAL "static")
	get_property(plugins GLOBAL PROPERTY WEFT_PLUGIN_LIST)
	set(plugin_objects weft_objects)
	foreach(plugin ${plugins})
		string(REPLACE ":" "_" plugin ${plugin})
		list(APPEND plugin_objects weft_${plugin})
	endforeach()
	install(TARGETS ${plugin_objects} EXPORT WeftTargets)
endif()
install(EXPORT WeftTargets NAMESPACE Weft:: DESTINATION ${config_dir})
configure_package_config_file(cmake/WeftConfig.cmake.in ${CMAKE_BINARY_DIR}/generated/WeftConfig.cmake
	INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/generated/WeftConfigVersion.cmake
	COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/generated/WeftConfig.cmake
	${CMAKE_BINARY_DIR}/generated/WeftConfigVersion.cmake cmake/FindMbedTLS.cmake
	DESTINATION ${config_dir})

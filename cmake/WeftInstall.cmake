# SPDX-License-Identifier: MIT
# Installing, and the package that finds it again.
include(CMakePackageConfigHelpers)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Weft)
set(config_files ${CMAKE_BINARY_DIR}/generated/WeftConfig.cmake
	${CMAKE_BINARY_DIR}/generated/WeftConfigVersion.cmake cmake/WeftPolicy.cmake)
install(DIRECTORY include/weft DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
if(NOT WEFT_STATIC_POLICY_ONLY)
	install(FILES share/weft/policy.schema.json DESTINATION ${CMAKE_INSTALL_DATADIR}/weft)
endif()
install(TARGETS weft EXPORT WeftTargets
	ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
	LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})

# A static library is delivered whole: the objects are in it, only what they link with is named.
# weft_modules: PREFIX=MODULE for pkg-config; weft_packages: names for find_package.
set(weft_modules "")
set(weft_packages "")
if(WEFT_PLUGINS STREQUAL "static")
	get_property(plugins GLOBAL PROPERTY WEFT_PLUGIN_LIST)
	list(TRANSFORM plugins REPLACE "(.*):(.*)" "weft_\\1_\\2")
	install(TARGETS weft_objects ${plugins} EXPORT WeftTargets)
	foreach(target weft_objects ${plugins})
		get_target_property(libraries ${target} INTERFACE_LINK_LIBRARIES)
		foreach(library ${libraries})
			if(library MATCHES "^PkgConfig::(.*)")
				get_property(module GLOBAL PROPERTY WEFT_MODULE_${CMAKE_MATCH_1})
				list(APPEND weft_modules ${CMAKE_MATCH_1}=${module})
			elseif(library MATCHES "^(.*)::")
				list(APPEND weft_packages ${CMAKE_MATCH_1})
			endif()
		endforeach()
	endforeach()
	list(REMOVE_DUPLICATES weft_modules)
	list(REMOVE_DUPLICATES weft_packages)
	foreach(package ${weft_packages})
		if(EXISTS ${PROJECT_SOURCE_DIR}/cmake/Find${package}.cmake)
			list(APPEND config_files cmake/Find${package}.cmake)
		endif()
	endforeach()
endif()

install(EXPORT WeftTargets NAMESPACE Weft:: DESTINATION ${config_dir})
configure_package_config_file(cmake/WeftConfig.cmake.in ${CMAKE_BINARY_DIR}/generated/WeftConfig.cmake
	INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/generated/WeftConfigVersion.cmake
	COMPATIBILITY SameMinorVersion)
install(FILES ${config_files} DESTINATION ${config_dir})

# SPDX-License-Identifier: MIT
# How plugins are added, and the one table that names them.

# A library that pkg-config knows; says which Debian package brings it if it is missing.
function(weft_find_library prefix module package)
	pkg_check_modules(${prefix} IMPORTED_TARGET GLOBAL ${module})
	if(NOT ${prefix}_FOUND)
		message(FATAL_ERROR "${module} is missing; on Debian: apt install ${package}")
	endif()
	set_property(GLOBAL PROPERTY WEFT_MODULE_${prefix} ${module})
endfunction()

# The same for a feature that can be left out: without the library the option is off, and that is said.
function(weft_find_optional option prefix module package)
	if(NOT ${option})
		return()
	endif()
	pkg_check_modules(${prefix} IMPORTED_TARGET GLOBAL ${module})
	if(${prefix}_FOUND)
		set_property(GLOBAL PROPERTY WEFT_MODULE_${prefix} ${module})
		return()
	endif()
	message(WARNING "${option} is off: ${module} is missing; on Debian: apt install ${package}")
	set(${option} OFF PARENT_SCOPE)
endfunction()

# weft_choose(VARIABLE OPTION LEFT_OUT INSTEAD): of a list of files those that a build with the option is made of, or one
# without: patterns of what is left out, and of what takes its place.
function(weft_choose variable option left_out instead)
	if(NOT ${option})
		set(left_out ${instead})
	endif()
	if(left_out)
		list(FILTER ${variable} EXCLUDE REGEX "/(${left_out})\\.c$")
	endif()
	set(${variable} ${${variable}} PARENT_SCOPE)
endfunction()

# Warnings, visibility and include paths that all our own code shares.
function(weft_target target)
	target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
		-Wstrict-prototypes -Wmissing-prototypes -fvisibility=hidden)
	if(WEFT_WERROR)
		target_compile_options(${target} PRIVATE -Werror)
	endif()
	target_compile_definitions(${target} PRIVATE _GNU_SOURCE _FILE_OFFSET_BITS=64)
	target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
	set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
	target_link_options(${target} PRIVATE -Wl,--as-needed)
	if(WEFT_BUILD_FUZZERS)
		# all our code, or the fuzzers would not see which way an input takes through it
		target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
		target_link_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
	endif()
endfunction()

# Where a program or module finds libweft, the same in the build folder as installed. CMake's own way of
# rewriting it at installation pads it with colons, and an empty entry means the current directory.
function(weft_rpath target path)
	set_target_properties(${target} PROPERTIES INSTALL_RPATH "${path}" BUILD_WITH_INSTALL_RPATH ON
		INSTALL_RPATH_USE_LINK_PATH ON)
endfunction()

# weft_add_plugin(KIND NAME [LIBS targets...] [SERVER files...] [NO_SERVER files...] [LOAD files...] [NO_LOAD files...]): all
# *.c of the calling folder; of those that serve, and of those for policies that are loaded, called without .c, what
# belongs to the build, or what stands in for it. Its objects are a target of their own, so that tests can link
# them in any build.
function(weft_add_plugin kind name)
	cmake_parse_arguments(arg "" "" "LIBS;SERVER;NO_SERVER;LOAD;NO_LOAD" ${ARGN})
	file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
	foreach(part SERVER NO_SERVER LOAD NO_LOAD)
		list(JOIN arg_${part} "|" arg_${part})
	endforeach()
	weft_choose(sources WEFT_CLIENT_ONLY "${arg_SERVER}" "${arg_NO_SERVER}")
	weft_choose(sources WEFT_STATIC_POLICY_ONLY "${arg_LOAD}" "${arg_NO_LOAD}")
	set(objects weft_${kind}_${name})
	if(WEFT_PLUGINS STREQUAL "static" OR WEFT_BUILD_TESTS OR WEFT_BUILD_FUZZERS)
		add_library(${objects} OBJECT ${sources})
		weft_target(${objects})
		target_link_libraries(${objects} PUBLIC ${arg_LIBS})
	endif()
	if(WEFT_PLUGINS STREQUAL "static")
		target_link_libraries(weft PRIVATE ${objects})
		return()
	endif()
	add_library(${kind}-${name} MODULE ${sources})
	weft_target(${kind}-${name})
	target_compile_definitions(${kind}-${name} PRIVATE WEFT_PLUGIN_MODULE)
	target_link_libraries(${kind}-${name} PRIVATE weft ${arg_LIBS})
	set_target_properties(${kind}-${name} PROPERTIES PREFIX ""
		LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${CMAKE_INSTALL_LIBDIR}/weft)
	weft_rpath(${kind}-${name} "$ORIGIN/..")
	install(TARGETS ${kind}-${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/weft)
endfunction()

# The folders of one kind: plugins/event-NAME, plugins/tls-NAME, roles/NAME.
function(weft_add_backends kind parent)
	foreach(name ${ARGN})
		if(kind STREQUAL "role")
			set(folder ${parent}/${name})
		else()
			set(folder ${parent}/${kind}-${name})
		endif()
		if(NOT EXISTS ${PROJECT_SOURCE_DIR}/${folder}/CMakeLists.txt)
			file(GLOB known RELATIVE ${PROJECT_SOURCE_DIR}/${parent}
				${PROJECT_SOURCE_DIR}/${parent}/*/CMakeLists.txt)
			string(REPLACE "/CMakeLists.txt" "" known "${known}")
			message(FATAL_ERROR "no ${kind} called \"${name}\" (no ${folder}); there are: ${known}")
		endif()
		add_subdirectory(${PROJECT_SOURCE_DIR}/${folder})
		set_property(GLOBAL APPEND PROPERTY WEFT_PLUGIN_LIST ${kind}:${name})
	endforeach()
endfunction()

# generated/weft_plugin_table.c for the library, and one with everything linked in for the tests.
function(weft_write_plugin_table)
	get_property(plugins GLOBAL PROPERTY WEFT_PLUGIN_LIST)
	foreach(variant ${WEFT_PLUGINS} static)
		set(externs "")
		set(entries "")
		foreach(plugin ${plugins})
			string(REPLACE ":" ";" parts ${plugin})
			list(GET parts 0 kind)
			list(GET parts 1 name)
			string(TOUPPER ${kind} upper)
			if(variant STREQUAL "static")
				string(APPEND externs "extern const struct weft_plugin weft_plugin_${kind}_${name};\n")
				string(APPEND entries
					"\t{ WEFT_PLUGIN_${upper}, \"${name}\", &weft_plugin_${kind}_${name} },\n")
			else()
				string(APPEND entries "\t{ WEFT_PLUGIN_${upper}, \"${name}\", NULL },\n")
			endif()
		endforeach()
		configure_file(${PROJECT_SOURCE_DIR}/cmake/weft_plugin_table.c.in
			${CMAKE_BINARY_DIR}/generated/${variant}/weft_plugin_table.c @ONLY)
	endforeach()
	weft_target(weft)
	target_sources(weft PRIVATE ${CMAKE_BINARY_DIR}/generated/${WEFT_PLUGINS}/weft_plugin_table.c)
	set_property(GLOBAL PROPERTY WEFT_STATIC_TABLE
		${CMAKE_BINARY_DIR}/generated/static/weft_plugin_table.c)
endfunction()

# SPDX-License-Identifier: MIT
# weft_add_policy(TARGET FILE.json [SYMBOL name]): compiles the policy at build time, and again whenever it or a
# file that it names changes, and adds its tables to TARGET, which finds them as
# `extern const struct weft_policy name;` (weft_policy_FILE without SYMBOL). WEFT_TOOL names the `weft` command that
# does it, where the one that belongs to the library cannot run here (cross-compiling).
set(WEFT_TOOL "" CACHE FILEPATH "The weft command that compiles policies; empty: the one of this Weft")

function(weft_add_policy target file)
	cmake_parse_arguments(arg "" "SYMBOL" "" ${ARGN})
	cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE)
	cmake_path(GET file STEM LAST_ONLY name)
	if(arg_UNPARSED_ARGUMENTS)
		message(FATAL_ERROR "weft_add_policy(${target} ${name}.json): expected SYMBOL and a name, not ${arg_UNPARSED_ARGUMENTS}")
	endif()
	# named by the symbol: of the same file there may be two
	set(symbol "")
	set(output ${CMAKE_CURRENT_BINARY_DIR}/${target}-weft_policy_${name}.c)
	if(arg_SYMBOL)
		set(symbol --symbol ${arg_SYMBOL})
		set(output ${CMAKE_CURRENT_BINARY_DIR}/${target}-${arg_SYMBOL}.c)
	endif()
	if(WEFT_TOOL)
		set(tool ${WEFT_TOOL})
	elseif(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
		message(FATAL_ERROR "weft_add_policy: this Weft's own weft command does not run here; set WEFT_TOOL to one that does")
	elseif(TARGET weft_tool)
		set(tool weft_tool)
	elseif(TARGET Weft::weft_tool)
		set(tool Weft::weft_tool)
	else()
		message(FATAL_ERROR "weft_add_policy: there is no weft command (a build without tools); set WEFT_TOOL to one")
	endif()
	add_custom_command(OUTPUT ${output}
		COMMAND ${tool} policy compile ${file} -o ${output} --depfile ${output}.d ${symbol}
		DEPENDS ${file} ${tool} DEPFILE ${output}.d
		COMMENT "Compiling policy ${name}" VERBATIM)
	target_sources(${target} PRIVATE ${output})
endfunction()

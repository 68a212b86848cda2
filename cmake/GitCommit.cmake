# The commit a build was made from, as ${CMAKE_BINARY_DIR}/generated/git_commit.h. The file is made anew only when
# HEAD has moved, so a build without changes has nothing to do. As a script (cmake -P) it writes the file.
if(CMAKE_SCRIPT_MODE_FILE)
  set(commit unknown)
  find_program(GIT git)
  if(GIT)
    execute_process(COMMAND ${GIT} -C ${SOURCE_DIR} rev-parse --short=12 HEAD OUTPUT_VARIABLE head
                    RESULT_VARIABLE status ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(status EQUAL 0)
      set(commit ${head})
    endif()
  endif()
  file(WRITE ${OUTPUT} "#pragma once\n\nnamespace tarsier {\ninline constexpr char kGitCommit[] = \"${commit}\";\n}\n")
  return()
endif()

set(head_log "")
find_program(GIT git)
if(GIT)
  execute_process(COMMAND ${GIT} -C ${CMAKE_SOURCE_DIR} rev-parse --git-path logs/HEAD OUTPUT_VARIABLE head_log
                  ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  cmake_path(ABSOLUTE_PATH head_log BASE_DIRECTORY ${CMAKE_SOURCE_DIR})
  if(NOT EXISTS ${head_log})
    set(head_log "")
  endif()
endif()
set(TARSIER_GENERATED_DIR ${CMAKE_BINARY_DIR}/generated)
add_custom_command(
  OUTPUT ${TARSIER_GENERATED_DIR}/git_commit.h
  COMMAND ${CMAKE_COMMAND} -DSOURCE_DIR=${CMAKE_SOURCE_DIR} -DOUTPUT=${TARSIER_GENERATED_DIR}/git_commit.h -P
          ${CMAKE_CURRENT_LIST_FILE} DEPENDS ${head_log} VERBATIM)
add_custom_target(tarsier_git_commit DEPENDS ${TARSIER_GENERATED_DIR}/git_commit.h)

# Writes OUTPUT from version.hpp.in, leaving the file alone when its content would stay the same.
# Usage: cmake -DVERSION=… -DSOURCE_DIR=… -DOUTPUT=… -P version.cmake
execute_process(
  COMMAND git -C ${SOURCE_DIR} describe --tags --always --dirty
  OUTPUT_VARIABLE GIT_DESCRIPTION OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  set(GIT_DESCRIPTION unknown)
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/version.hpp.in ${OUTPUT} @ONLY)

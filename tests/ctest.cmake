# The C tests for CTest: unit.NAME, simulator.NAME, fuzz.NAME, by hand
#     ctest --test-dir build/asan -L unit -j 4
# What the marks of a source say (tools/test_sets.py lists them) are properties of its test.
# Labels: the set; "default" in the build that ./dev test runs it from; "quick" of these for
# ./dev test quick; "long" alone for the variants of --long, which take more time and seeds.
# A test that computes takes two of the places that -j gives, one that waits one.
enable_testing()
set(LONG_FACTOR 5)
set(FUZZ_MS 1000)
set(LONG_FUZZ_MS 20000)
set(LONG_FUZZ_S 600)
set(VALGRIND_FACTOR 10)
if(TRAMLINE_FUZZ)
  set(KIND fuzz)
elseif(TRAMLINE_SANITIZE)
  set(KIND asan)
elseif(TRAMLINE_TSAN)
  set(KIND tsan)
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  set(KIND release)
else()
  set(KIND other)
endif()

# The thread sanitizer maps its shadow to fixed places, where with many random bits of address the
# loader may lie already: it crashes before main.
set(LAUNCH)
if(KIND STREQUAL "tsan")
  execute_process(COMMAND setarch -R true RESULT_VARIABLE refused OUTPUT_QUIET ERROR_QUIET)
  if(refused EQUAL 0)
    set(LAUNCH setarch -R)
  endif()
endif()

# A crash is the sanitizer's to tell, with its stack; cmocka would only name the signal.
file(STRINGS tests/sanitizers.env sanitizers)
list(TRANSFORM sanitizers REPLACE "@ROOT@" "${CMAKE_SOURCE_DIR}")

# mark(SOURCE NAME VARIABLE DEFAULT): what stands after "// test: NAME" in the source.
function(mark source name variable default)
  file(STRINGS ${source} line REGEX "^// test: ${name}( |$)" LIMIT_COUNT 1)
  string(REGEX REPLACE "^// test: ${name} *" "" value "${line}")
  if(NOT line)
    set(value ${default})
  elseif(value STREQUAL "")
    set(value TRUE)
  endif()
  set(${variable} ${value} PARENT_SCOPE)
endfunction()

# one_test(NAME SOURCE LABELS LIMIT ENVIRONMENT COMMAND...): a test with its marks and labels.
# The fixture makes the directory for temporary files.
function(one_test name source labels limit environment)
  add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT ${limit}
    ENVIRONMENT "TMPDIR=${CMAKE_BINARY_DIR}/test-tmp;${sanitizers};${environment}"
    FIXTURES_REQUIRED tmp)
  mark(${source} alone alone FALSE)
  mark(${source} waits waits FALSE)
  mark(${source} takes takes 0)
  set(places 2)
  if(waits)
    set(places 1)
  endif()
  set_tests_properties(${name} PROPERTIES RUN_SERIAL ${alone} PROCESSORS ${places} COST ${takes})
  set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
endfunction()

# c_test(SET LIMIT SOURCE): of tests/unit or tests/sim.
function(c_test set limit source)
  get_filename_component(target ${source} NAME_WE)
  string(REGEX REPLACE "^test_" "" name ${target})
  mark(${source} runs-in elsewhere FALSE)
  if(elsewhere) # it needs servers, which an end to end test gives it
    return()
  endif()
  mark(${source} limit limit ${limit})
  mark(${source} build default asan)
  mark(${source} slow slow FALSE)
  mark(${source} quick quick FALSE)
  set(labels ${set})
  if(default STREQUAL KIND)
    list(APPEND labels default)
    if((set STREQUAL "unit" AND NOT slow) OR quick)
      list(APPEND labels quick)
    endif()
  endif()
  one_test(${set}.${name} ${source} "${labels}" ${limit} "" ${LAUNCH} $<TARGET_FILE:${target}>)
  math(EXPR long_limit "${limit} * ${LONG_FACTOR}")
  one_test(${set}.${name}.long ${source} long ${long_limit} TEST_LONG=1
    ${LAUNCH} $<TARGET_FILE:${target}>)
  if(KIND STREQUAL "release" AND set STREQUAL "unit")
    math(EXPR limit "${long_limit} * ${VALGRIND_FACTOR}")
    one_test(${set}.${name}.valgrind ${source} long ${limit} TEST_LONG=1
      valgrind -q --error-exitcode=9 --leak-check=full $<TARGET_FILE:${target}>)
  endif()
endfunction()

# fuzz_test(SOURCE): a fuzz target on its corpus and changed copies of it, or by libFuzzer.
function(fuzz_test source)
  get_filename_component(target ${source} NAME_WE)
  string(REGEX REPLACE "^fuzz_" "" name ${target})
  set(corpus ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
  if(TRAMLINE_FUZZ)
    math(EXPR limit "${LONG_FUZZ_S} * ${LONG_FACTOR}")
    one_test(fuzz.${name}.libfuzzer ${source} long ${limit} ""
      ${CMAKE_SOURCE_DIR}/tools/dev-fuzz.sh ${name} ${LONG_FUZZ_S})
    return()
  endif()
  set(labels fuzz)
  if(KIND STREQUAL "asan")
    list(APPEND labels default)
  endif()
  one_test(fuzz.${name} ${source} "${labels}" 300 "" ${target} ${corpus} ${FUZZ_MS})
  one_test(fuzz.${name}.long ${source} long 1500 TEST_LONG=1 ${target} ${corpus} ${LONG_FUZZ_MS})
endfunction()

foreach(source ${test_sources})
  if(source MATCHES "/sim/")
    c_test(simulator 600 ${source})
  else()
    c_test(unit 300 ${source})
  endif()
endforeach()
foreach(source ${fuzz_sources})
  fuzz_test(${source})
endforeach()
add_test(NAME tmp COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/test-tmp)
set_tests_properties(tmp PROPERTIES FIXTURES_SETUP tmp)

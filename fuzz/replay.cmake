# tarsier_fuzz_replay(NAME LAYER): fuzz/NAME_fuzz.cpp over fuzz/corpus/NAME as an ordinary test, with any compiler.
function(tarsier_fuzz_replay name layer)
  add_executable(${name}_replay ${CMAKE_SOURCE_DIR}/fuzz/${name}_fuzz.cpp ${CMAKE_SOURCE_DIR}/fuzz/replay.cpp)
  target_link_libraries(${name}_replay PRIVATE tarsier_${layer})
  add_test(NAME FuzzCorpus.${name} COMMAND ${name}_replay ${CMAKE_SOURCE_DIR}/fuzz/corpus/${name})
  set_tests_properties(FuzzCorpus.${name} PROPERTIES TIMEOUT 120 LABELS fast)
endfunction()

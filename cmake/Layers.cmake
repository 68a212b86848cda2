# The layers and which way they may look, written once: CMake links by it and tools/check_layers.py reads it.
#
# tarsier_layer(NAME [TORCH] DEPENDS <layers below> [LIBRARIES <of others>] [PRECOMPILE <headers>])
# declares the layer whose folder is tarsier/NAME; that folder's CMakeLists.txt lists the sources with
# tarsier_sources(NAME a.cpp b.cpp). A TORCH layer is left out when TARSIER_TORCH is off. PRECOMPILE gives it a
# precompiled header of its own in place of the one all TORCH layers share.

function(tarsier_layer name)
  cmake_parse_arguments(arg "TORCH" "" "DEPENDS;LIBRARIES;PRECOMPILE" ${ARGN})
  if(arg_TORCH AND NOT TARSIER_TORCH)
    return()
  endif()
  add_library(tarsier_${name} STATIC)
  add_library(tarsier::${name} ALIAS tarsier_${name})
  target_include_directories(tarsier_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_compile_options(tarsier_${name} PRIVATE ${TARSIER_WARNINGS})
  target_link_libraries(tarsier_${name} PUBLIC Threads::Threads)
  foreach(below ${arg_DEPENDS})
    target_link_libraries(tarsier_${name} PUBLIC tarsier_${below})
  endforeach()
  target_link_libraries(tarsier_${name} PUBLIC ${arg_LIBRARIES})
  if(arg_TORCH)
    target_link_libraries(tarsier_${name} PUBLIC tarsier_libtorch)
  endif()
  if(arg_PRECOMPILE)
    target_precompile_headers(tarsier_${name} PRIVATE ${arg_PRECOMPILE})
  elseif(arg_TORCH)
    target_precompile_headers(tarsier_${name} REUSE_FROM tarsier_tensor)
  endif()
  add_subdirectory(${CMAKE_SOURCE_DIR}/tarsier/${name} ${CMAKE_BINARY_DIR}/tarsier/${name})
endfunction()

function(tarsier_sources name)
  list(TRANSFORM ARGN PREPEND ${CMAKE_SOURCE_DIR}/tarsier/${name}/)
  target_sources(tarsier_${name} PRIVATE ${ARGN})
endfunction()

# Sources compiled once for every instruction set of tarsier/kernels/isa.h, into the namespace TARSIER_ISA names.
function(tarsier_isa_sources name)
  if(NOT ARGN)
    return()
  endif()
  list(TRANSFORM ARGN PREPEND ${CMAKE_SOURCE_DIR}/tarsier/${name}/)
  set(flags_portable "")
  set(flags_avx2 -mavx2 -mfma)
  set(flags_avx512 -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma -mprefer-vector-width=512)
  set(isas portable)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    list(APPEND isas avx2 avx512)
  endif()
  foreach(isa ${isas})
    add_library(tarsier_${name}_${isa} OBJECT ${ARGN})
    target_include_directories(tarsier_${name}_${isa} PRIVATE ${CMAKE_SOURCE_DIR})
    target_compile_definitions(tarsier_${name}_${isa} PRIVATE TARSIER_ISA=${isa})
    # Loops over floats are to become vector code in every build type; sums may be taken in any order.
    target_compile_options(tarsier_${name}_${isa} PRIVATE ${TARSIER_WARNINGS} -O3 -fno-math-errno -fno-trapping-math
                                                          -fassociative-math -fno-signed-zeros ${flags_${isa}})
    target_link_libraries(tarsier_${name} PRIVATE tarsier_${name}_${isa})
    target_compile_definitions(tarsier_${name} PRIVATE TARSIER_HAS_${isa}=1)
  endforeach()
endfunction()

tarsier_layer(base LIBRARIES fmt::fmt nlohmann_json::nlohmann_json)
tarsier_layer(media DEPENDS base LIBRARIES PkgConfig::FFMPEG)
tarsier_layer(text DEPENDS base LIBRARIES PkgConfig::PCRE2 PkgConfig::UTF8PROC tarsier_sentencepiece)
tarsier_layer(grounding DEPENDS text base)
tarsier_layer(synth DEPENDS media base)
tarsier_layer(checkpoint DEPENDS base LIBRARIES OpenSSL::Crypto)
tarsier_layer(judge DEPENDS synth checkpoint text base LIBRARIES PkgConfig::CURL)
tarsier_layer(data DEPENDS media text checkpoint base LIBRARIES PkgConfig::LIBARCHIVE PRECOMPILE <nlohmann/json.hpp>
                                                                                                 <fmt/format.h>)
# ATen costs 11 s a source to parse; this one precompiled header serves every TORCH layer above and its tests.
tarsier_layer(tensor TORCH DEPENDS base PRECOMPILE <ATen/ATen.h>)
tarsier_layer(kernels DEPENDS base)
tarsier_layer(nn TORCH DEPENDS tensor kernels base)
tarsier_layer(processors TORCH DEPENDS tensor media text base)
tarsier_layer(models TORCH DEPENDS nn processors checkpoint base)
tarsier_layer(engine TORCH DEPENDS models base)
tarsier_layer(eval TORCH DEPENDS engine judge synth base)
tarsier_layer(train TORCH DEPENDS eval judge synth data models checkpoint base)
tarsier_layer(rollout TORCH DEPENDS train judge synth engine data checkpoint base)
tarsier_layer(ablation TORCH DEPENDS rollout train eval judge synth data base)
# Commands parse flags and print; few touch a tensor, so they carry CLI11 in place of all of ATen.
tarsier_layer(
  cli
  TORCH
  DEPENDS ablation rollout train data eval engine judge grounding base
  LIBRARIES CLI11::CLI11
  PRECOMPILE <CLI/CLI.hpp> <nlohmann/json.hpp> <ATen/core/Tensor.h>)

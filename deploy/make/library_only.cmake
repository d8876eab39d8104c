# Included by CMake behind each project() of llama-cpp-python: llama_build.py, library_args().
# The package asks for llama.cpp's common code, which only its programs use, by force in CMake's cache;
# an ordinary variable of the same name counts more (policies CMP0126 and CMP0077).
set(LLAMA_BUILD_COMMON OFF)

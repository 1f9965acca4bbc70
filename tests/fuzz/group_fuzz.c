/* group_fuzz.c -- consumer groups under event sequences of the fuzzer's choice. */
#include "unit/coord/drive.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	drive(bytes, n);
	return 0;
}

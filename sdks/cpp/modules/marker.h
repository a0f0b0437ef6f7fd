// The symbol by which the suite knows its modules.
#pragma once

extern "C" const char* dmconform_marker(void);

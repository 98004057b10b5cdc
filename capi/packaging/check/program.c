// The smallest program that the library has to be found for.

#include <precast.h>
#include <stdio.h>

int main(void) {
    precast_runtime *runtime = NULL;
    precast_status status = precast_runtime_new(NULL, &runtime, NULL);
    puts(precast_status_message(status));
    precast_runtime_free(runtime);
    return status != PRECAST_OK;
}

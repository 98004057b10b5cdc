// What a device without an operating system offers. Where there is one, nothing is asked of it.

#include "check.h"

static int asked;

static bool now(void *user, uint64_t *time) {
    check(user == &asked);
    asked++;
    *time = 1;
    return true;
}

void test_platform(void) {
    precast_platform platform = {.size = sizeof platform, .user = &asked, .monotonic_time = now};
    ok(precast_platform_install(&platform, told()));
    precast_runtime *runtime = new_runtime();
    precast_instance *instance = instance_of(runtime, "basic");
    precast_instance_free(instance);
    precast_runtime_free(runtime);
    check(asked == 0);
    null(precast_platform_install(NULL, told()));
    platform.size = 0;
    is(PRECAST_INVALID_ARGUMENT, precast_platform_install(&platform, told()));
    struct {
        precast_platform known;
        void *later;
    } newer = {.known = {.size = sizeof newer}, .later = &asked};
    is(PRECAST_UNKNOWN_OPTION, precast_platform_install(&newer.known, told()));
}

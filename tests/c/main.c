// Runs the tests, which are functions of the other files, on the artifacts in a folder. A second argument
// says that none of them relies on faults.

#include "check.h"

precast_error failure;
precast_frame frames[FRAMES];
const char *folder;
bool has_faults = true;

static char message[1024];
static int wrong;

precast_error *told(void) {
    memset(&failure, 0, sizeof failure);
    memset(message, 0, sizeof message);
    failure.size = sizeof failure;
    failure.message = message;
    failure.message_capacity = sizeof message;
    failure.frames = frames;
    failure.frame_capacity = FRAMES;
    return &failure;
}

void check_at(bool holds, const char *condition, const char *file, int line) {
    if (!holds) {
        printf("%s:%d: %s\n", file, line, condition);
        wrong++;
    }
}

void is_at(precast_status status, precast_status expected, const char *call, const char *file, int line) {
    if (status != expected) {
        printf("%s:%d: %s: %s, expected %s; told: %s\n", file, line, call, precast_status_message(status),
               precast_status_message(expected), message);
        wrong++;
    }
    // Where a report was asked for, it says the same.
    if (failure.size && status != PRECAST_OK && strstr(call, "told()")) {
        check_at(failure.status == (int32_t)status, "the report has the status", file, line);
        check_at(failure.message_length == strlen(message), "the report has a text", file, line);
        check_at(message[0] != 0, "the text says something", file, line);
    }
}

bool tells(const char *words) {
    bool found = strstr(message, words) != NULL;
    if (!found)
        printf("no \"%s\" in \"%s\"\n", words, message);
    return found;
}

bool text_is(precast_text text, const char *expected) {
    if (!expected)
        return text.data == NULL && text.length == 0;
    return text.length == strlen(expected) && memcmp(text.data, expected, text.length) == 0;
}

void *nonsense(void) {
    static uint64_t block[64];
    return block;
}

const char *path_of(const char *name) {
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s.precast", folder, name);
    return path;
}

void *read_artifact(const char *name, size_t *length) {
    FILE *file = fopen(path_of(name), "rb");
    if (!file) {
        printf("there is no %s\n", path_of(name));
        exit(2);
    }
    fseek(file, 0, SEEK_END);
    *length = (size_t)ftell(file);
    rewind(file);
    void *bytes = malloc(*length);
    if (fread(bytes, 1, *length, file) != *length)
        exit(2);
    fclose(file);
    return bytes;
}

precast_runtime *new_runtime(void) {
    precast_runtime *runtime = NULL;
    ok(precast_runtime_new(NULL, &runtime, told()));
    return runtime;
}

precast_module *load(precast_runtime *runtime, const char *name) {
    precast_module *module = NULL;
    ok(precast_module_load_file_unverified(runtime, path_of(name), &module, told()));
    return module;
}

precast_instance *instance_of(precast_runtime *runtime, const char *name) {
    precast_module *module = load(runtime, name);
    precast_instance *instance = NULL;
    ok(precast_instance_new(module, NULL, NULL, NULL, &instance, told()));
    precast_module_free(module);
    return instance;
}

precast_function *function_of(precast_instance *instance, const char *name) {
    precast_function *function = NULL;
    ok(precast_instance_function(instance, name, &function, told()));
    return function;
}

void *aligned_block(size_t size, size_t alignment) {
    if (alignment < sizeof(void *))
        alignment = sizeof(void *);
    size_t rounded = (size + alignment - 1) / alignment * alignment;
    return aligned_alloc(alignment, rounded < alignment ? alignment : rounded);
}

precast_value i32(int32_t number) {
    precast_value value = {.kind = PRECAST_I32, .of = {.i32 = number}};
    return value;
}

precast_value i64(int64_t number) {
    precast_value value = {.kind = PRECAST_I64, .of = {.i64 = number}};
    return value;
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {
        {"platform", test_platform}, {"info", test_info},         {"runtime", test_runtime},   {"pool", test_pool},
        {"module", test_module},     {"static", test_static},     {"imports", test_imports},
        {"instance", test_instance}, {"function", test_function}, {"memory", test_memory},
        {"global", test_global},     {"table", test_table},       {"env", test_env},
        {"host", test_host},         {"caller", test_caller},     {"heap", test_heap},
        {"interrupter", test_interrupter}, {"usage", test_usage}, {"plan", test_plan},
        {"wasi", test_wasi},         {"device_wasi", test_device_wasi}, {"exception", test_exception}, {"faults", test_faults},
        {"threads", test_threads},
        {"order", test_order},
    };
    if (argc < 2)
        return 2;
    folder = argv[1];
    has_faults = argc == 2;
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        int before = wrong;
        memset(&failure, 0, sizeof failure);
        tests[i].run();
        printf("%s: %s\n", tests[i].name, wrong == before ? "ok" : "wrong");
    }
    return wrong != 0;
}

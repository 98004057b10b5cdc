// Runs the tests of wasm.h, which are functions of the other files, on the artifacts in a folder.

#include "check.h"

static const char *folder;
static int wrong;

void check_at(bool holds, const char *condition, const char *file, int line) {
    if (!holds) {
        printf("%s:%d: %s\n", file, line, condition);
        wrong++;
    }
}

void *nonsense(void) {
    static uint64_t block[64];
    return block;
}

wasm_byte_vec_t artifact(const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.precast", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        printf("there is no %s\n", path);
        exit(2);
    }
    fseek(file, 0, SEEK_END);
    wasm_byte_vec_t bytes;
    wasm_byte_vec_new_uninitialized(&bytes, (size_t)ftell(file));
    rewind(file);
    if (fread(bytes.data, 1, bytes.size, file) != bytes.size)
        exit(2);
    fclose(file);
    return bytes;
}

bool tells(const wasm_store_t *store, const char *words) {
    char text[600];
    size_t length = precast_wasm_last_error(store, text, sizeof text);
    bool found = strlen(text) == length && strstr(text, words) != NULL;
    if (!found)
        printf("no \"%s\" in \"%s\"\n", words, text);
    return found;
}

bool traps_with(wasm_trap_t *trap, const char *words) {
    if (!trap) {
        printf("no trap \"%s\"\n", words);
        return false;
    }
    wasm_message_t message;
    wasm_trap_message(trap, &message);
    bool found = message.size && !message.data[message.size - 1] && strstr(message.data, words) != NULL;
    if (!found)
        printf("no \"%s\" in \"%s\"\n", words, message.data);
    wasm_byte_vec_delete(&message);
    wasm_trap_delete(trap);
    return found;
}

void count(void *counter) { ++*(int *)counter; }

wasm_val_t i32(int32_t number) {
    wasm_val_t value = WASM_I32_VAL(number);
    return value;
}

wasm_val_t i64(int64_t number) {
    wasm_val_t value = WASM_I64_VAL(number);
    return value;
}

wasm_val_t none(void) {
    wasm_val_t value = WASM_INIT_VAL;
    return value;
}

wasm_functype_t *unary(wasm_valkind_t param, wasm_valkind_t result) {
    return wasm_functype_new_1_1(wasm_valtype_new(param), wasm_valtype_new(result));
}

static wasm_trap_t *twice(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    check(args->size == 1 && results->size == 1);
    check(results->data[0].kind == args->data[0].kind);
    if (args->data[0].kind == WASM_I32)
        results->data[0].of.i32 = 2 * args->data[0].of.i32;
    else
        results->data[0].of.i64 = 2 * args->data[0].of.i64;
    return NULL;
}

// Gives back the object, or the function if there is no object.
static wasm_trap_t *keep(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    check(args->size == 2 && results->size == 1);
    check(args->data[0].kind == WASM_EXTERNREF && args->data[1].kind == WASM_FUNCREF);
    check(results->data[0].kind == WASM_EXTERNREF && !results->data[0].of.ref);
    wasm_val_copy(&results->data[0], &args->data[args->data[0].of.ref ? 0 : 1]);
    return NULL;
}

struct standard make_standard(void) {
    struct standard standard;
    standard.engine = wasm_engine_new();
    standard.store = wasm_store_new(standard.engine);
    wasm_byte_vec_t bytes = artifact("standard");
    standard.module = wasm_module_new(standard.store, &bytes);
    wasm_byte_vec_delete(&bytes);
    if (!standard.module) {
        tells(standard.store, "?");
        exit(2);
    }
    wasm_functype_t *type = unary(WASM_I32, WASM_I32);
    standard.first = wasm_func_new(standard.store, type, twice);
    wasm_functype_delete(type);
    type = unary(WASM_I64, WASM_I64);
    standard.second = wasm_func_new(standard.store, type, twice);
    wasm_functype_delete(type);
    type = wasm_functype_new_2_1(wasm_valtype_new_externref(), wasm_valtype_new_funcref(), wasm_valtype_new_anyref());
    standard.keep = wasm_func_new(standard.store, type, keep);
    wasm_functype_delete(type);
    wasm_globaltype_t *global = wasm_globaltype_new(wasm_valtype_new_i64(), WASM_VAR);
    wasm_val_t value = WASM_I64_VAL(40);
    standard.counter = wasm_global_new(standard.store, global, &value);
    wasm_globaltype_delete(global);
    wasm_extern_t *items[] = {
        wasm_func_as_extern(standard.first),
        wasm_func_as_extern(standard.second),
        wasm_global_as_extern(standard.counter),
        wasm_func_as_extern(standard.keep),
    };
    wasm_extern_vec_t imports = WASM_ARRAY_VEC(items);
    wasm_trap_t *trap = nonsense();
    standard.instance = wasm_instance_new(standard.store, standard.module, &imports, &trap);
    check(standard.instance != NULL && trap == NULL);
    wasm_instance_exports(standard.instance, &standard.exports);
    return standard;
}

void delete_standard(struct standard *standard) {
    wasm_extern_vec_delete(&standard->exports);
    wasm_instance_delete(standard->instance);
    wasm_func_delete(standard->first);
    wasm_func_delete(standard->second);
    wasm_func_delete(standard->keep);
    wasm_global_delete(standard->counter);
    wasm_module_delete(standard->module);
    wasm_store_delete(standard->store);
    wasm_engine_delete(standard->engine);
}

wasm_extern_t *find(const struct standard *standard, const char *name) {
    wasm_exporttype_vec_t types;
    wasm_module_exports(standard->module, &types);
    wasm_extern_t *found = NULL;
    for (size_t i = 0; i < types.size; i++) {
        const wasm_name_t *other = wasm_exporttype_name(types.data[i]);
        if (other->size && other->size == strlen(name) && memcmp(other->data, name, other->size) == 0)
            found = standard->exports.data[i];
    }
    wasm_exporttype_vec_delete(&types);
    check(found != NULL);
    return found;
}

wasm_func_t *func(const struct standard *standard, const char *name) {
    return wasm_extern_as_func(find(standard, name));
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {
        {"types", test_types},         {"vectors", test_vectors},       {"values", test_values},
        {"engines", test_engines},     {"modules", test_modules},       {"functions", test_functions},
        {"globals", test_globals},     {"tables", test_tables},         {"memories", test_memories},
        {"instances", test_instances}, {"references", test_references}, {"traps", test_traps},
        {"sharing", test_sharing},
    };
    if (argc != 2)
        return 2;
    folder = argv[1];
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        int before = wrong;
        tests[i].run();
        printf("%s: %s\n", tests[i].name, wrong == before ? "ok" : "wrong");
    }
    return wrong != 0;
}

// What an engine has to get right: numbers, text, collections, generators, errors, deep calls.
import * as std from "qjs:std";
import * as os from "qjs:os";

const lines = [];
const say = (name, value) => lines.push(`${name}: ${value}`);

// Numbers: shortest decimal forms, rounding, integers without end.
say("numbers", [0.1 + 0.2, 1e21, 5e-324, -0, 123456789 * 987654321, 2 ** -1074].join(" "));
say("fixed", [(1.005).toFixed(2), (1e21).toFixed(2), (123.456).toPrecision(4), (255).toString(36)].join(" "));
let factorial = 1n;
for (let n = 2n; n <= 60n; n++) factorial *= n;
say("60!", factorial);
say("modular power", (() => {
    let [base, exponent, modulus, result] = [3n, 10n ** 30n, 10n ** 20n + 39n, 1n];
    for (; exponent > 0n; exponent >>= 1n) {
        if (exponent & 1n) result = (result * base) % modulus;
        base = (base * base) % modulus;
    }
    return result;
})());
say("trigonometry", Array.from({ length: 5 }, (_, n) => Math.sin(n) ** 2 + Math.cos(n) ** 2).map((x) => x.toFixed(12)).join(" "));

// Text: Unicode, regular expressions, sorting.
say("unicode", [..."añ😀ß"].map((c) => c.codePointAt(0).toString(16)).join(" ") + " " + "straße".toUpperCase());
const dates = "on 2024-02-29 and 1999-12-31".replace(/(?<y>\d{4})-(?<m>\d\d)-(?<d>\d\d)/g, "$<d>.$<m>.$<y>");
say("replaced", dates);
say("look-behind", "price: $42, cost: €17".match(/(?<=[$€])\d+/gu).join(" "));
say("sorted", ["b10", "a2", "B1", "a10", "ä"].sort().join(" "));
say("date", new Date(Date.UTC(2000, 1, 29, 12, 34, 56, 789)).toISOString());
say("json", JSON.stringify({ a: [1, { b: null }], "c\u2028": "\ud83d", d: undefined, e: new Map() }));

// Collections, generators, destructuring, classes, proxies, symbols.
function* primes() {
    const composites = new Map();
    for (let n = 2; ; n++) {
        const factors = composites.get(n);
        if (!factors) {
            yield n;
            composites.set(n * n, [n]);
        } else {
            for (const factor of factors) {
                const next = composites.get(n + factor) ?? [];
                next.push(factor);
                composites.set(n + factor, next);
            }
            composites.delete(n);
        }
    }
}
let count = 0;
let last = 0;
for (const prime of primes()) {
    last = prime;
    if (++count === 5000) break;
}
say("the 5000th prime", last);
class Tree {
    #nodes = 0;
    insert(node, key) {
        if (!node) return { key, at: this.#nodes++ };
        const side = key < node.key ? "left" : "right";
        return { ...node, [side]: this.insert(node[side], key) };
    }
    *[Symbol.iterator]() {
        const walk = function* (node) {
            if (!node) return;
            yield* walk(node.left);
            yield node.key;
            yield* walk(node.right);
        };
        yield* walk(this.root);
    }
}
const tree = new Tree();
for (let n = 0, seed = 1; n < 300; n++) {
    seed = (seed * 48271) % 2147483647;
    tree.root = tree.insert(tree.root, seed % 1000);
}
const keys = [...tree];
say("tree", `${keys.length} ${keys.slice(0, 8)} ${keys.every((key, n) => n === 0 || keys[n - 1] <= key)}`);
const log = [];
const watched = new Proxy({ x: 1 }, { get: (target, name) => (log.push(name), target[name]) });
say("proxy", `${watched.x + (watched.y ?? 10)} ${log}`);
const grouped = Object.groupBy([1, 2, 3, 4, 5], (n) => (n % 2 ? "odd" : "even"));
say("grouped", JSON.stringify(grouped));

// Bytes.
const view = new DataView(new ArrayBuffer(16));
view.setFloat64(0, Math.PI);
view.setFloat32(8, -1.5, true);
say("bytes", Array.from(new Uint8Array(view.buffer), (byte) => byte.toString(16).padStart(2, "0")).join(""));

// Errors: through frames, out of callbacks, from a huge allocation.
const attempt = (action) => {
    try {
        return action();
    } catch (error) {
        return error.constructor.name;
    } finally {
        log.push("finally");
    }
};
const descend = (n) => (n ? descend(n - 1) + 1 : null.x);
say("errors", [
    attempt(() => null.x),
    attempt(() => [3, 2, 1].sort(() => { throw new TypeError(); })),
    attempt(() => descend(50)),
    attempt(() => "x".repeat(2 ** 31)),
    attempt(() => JSON.parse("{")),
    attempt(() => new RegExp("(")),
    attempt(() => 10n / 0n),
].join(" "));

// Files, through the system interface.
const file = std.open("scratch.txt", "w+");
file.puts("first\nsecond\nthird\n");
file.seek(6, std.SEEK_SET);
say("line", file.getline());
say("position", file.tell());
file.close();
const [status] = os.stat("scratch.txt");
say("size", status.size);
say("renamed", os.rename("scratch.txt", "other.txt"));
say("missing", std.strerror(os.stat("scratch.txt")[1]));
say("folder", os.readdir(".")[0].filter((name) => name.endsWith(".txt")).join(" "));
say("removed", os.remove("other.txt"));

// Promises and timers: the order of jobs.
const order = [];
os.setTimeout(() => {
    order.push("timer");
    say("order", order.join(" "));
    print(lines.join("\n"));
    std.exit(3);
}, 10);
(async () => {
    order.push("start");
    await null;
    order.push("after await");
})();
Promise.resolve().then(() => order.push("then"));
order.push("end");

// What a compiler complains about.
int shorten(long value) {
    return vlaue << 40;
}

/* Tests itself, classifies the images of a file, one after the other, and writes their logits. */
#include HEADER
#include <stdio.h>

static float workspace[WORKSPACE];

int main(int count, char **names) {
    static uint8_t image[IMAGE];
    float logits[CLASSES];
    FILE *images = fopen(names[1], "rb"), *output = fopen(names[2], "wb");
    if (count != 3 || !images || !output) return 1;
    if (SELF_TEST(workspace)) return 4;
    while (fread(image, 1, sizeof image, images) == sizeof image) {
        const int class = CLASSIFY(image, workspace, logits);
        for (int i = 0; i < CLASSES; i++)
            if (logits[i] > logits[class]) return 2;
        if (fwrite(logits, sizeof *logits, CLASSES, output) != CLASSES) return 3;
    }
    return fclose(output) || fclose(images);
}

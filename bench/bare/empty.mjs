// What a post step that has nothing to do is measured against.

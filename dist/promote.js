require('./index.js').promote()

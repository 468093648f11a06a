require('./index.js').main()

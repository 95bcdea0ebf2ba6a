"""First names that are common in many countries and rarely ordinary words; general knowledge, no data set."""

from __future__ import annotations

from typing import Final

FIRST_NAMES: Final = frozenset(
    """
    james john robert michael william david richard joseph thomas charles christopher daniel matthew anthony steven paul andrew joshua kenneth kevin brian george timothy ronald
    edward jason jeffrey ryan jacob gary nicholas eric jonathan stephen larry justin scott brandon benjamin samuel gregory alexander patrick raymond jerry dennis tyler aaron jose
    adam nathan henry douglas zachary peter kyle noah ethan jeremy walter christian keith roger terry austin sean gerald carl harold dylan arthur lawrence jordan jesse bryan billy
    bruce gabriel joe logan alan juan albert willie elijah wayne randy vincent mason roy ralph bobby russell bradley philip eugene louis harry martin oliver leo liam lucas
    mary patricia jennifer linda elizabeth barbara susan jessica sarah karen lisa nancy betty sandra margaret ashley kimberly emily donna michelle carol amanda melissa deborah
    stephanie rebecca sharon laura cynthia dorothy amy kathleen angela shirley emma brenda pamela nicole anna samantha katherine christine debra rachel carolyn janet maria olivia
    heather helen catherine diane julie victoria joyce lauren kelly christina ruth joan virginia judith evelyn hannah andrea megan cheryl jacqueline madison teresa abigail sophia
    martha sara gloria janice kathryn ann isabella judy charlotte julia amber alice jean denise frances danielle marilyn natalie beverly diana brittany theresa kayla alexis doris
    lori tiffany ava mia amelia isla poppy freya florence sienna daisy phoebe evie millie harriet imogen georgia niamh siobhan aoife ciara sinead fiona moira eilidh rhys owen dylan
    gareth ieuan callum hamish angus ewan alistair duncan declan cormac eoin padraig conor cian nigel clive trevor graham stuart geoffrey rupert hugo felix jasper toby alfie
    hans klaus jürgen juergen dieter wolfgang heinz helmut manfred uwe stefan andreas matthias markus sebastian tobias florian lukas jonas felix maximilian moritz niklas finn
    ursula monika petra renate sabine brigitte heike ingrid karin birgit silke anja katrin tanja claudia susanne martina gisela helga hannelore lena lea marlene johanna franziska
    wilhelm friedrich gerhard günther günter rainer bernd jörg ralf torsten thorsten sven kai lars jens holger steffen dirk frank anneliese gertrud waltraud hildegard edeltraud
    jean pierre michel andré philippe alain bernard jacques françois christophe laurent nicolas julien guillaume thierry sébastien olivier frédéric stéphane pascal yves rené
    marie nathalie isabelle sylvie catherine françoise martine monique valérie sandrine céline aurélie émilie camille chloé manon léa juliette margaux élodie océane lucie
    jules gabin raphaël théo timothée mathis enzo hugo baptiste antoine maxime clément benoît gaston étienne honoré agathe amélie adèle clémence éléonore geneviève solène
    josé antonio manuel francisco juan javier carlos jesús miguel ángel pedro alejandro luis fernando sergio pablo jorge alberto álvaro diego raúl rubén enrique ramón vicente
    maría carmen josefa isabel dolores pilar teresa rosa cristina marta lucía paula elena raquel beatriz rocío inmaculada consuelo esperanza guadalupe ximena valentina camila
    joão antónio paulo rui tiago gonçalo rafael thiago gustavo felipe bruno rodrigo leonardo vinícius caio otávio joana beatriz mariana carolina inês letícia larissa juliana
    fernanda gabriela renata luciana vanessa aline camila débora heloísa luana yasmin lívia isadora davi heitor enzo murilo benício cauã matheus lorenzo
    giuseppe giovanni antonio mario luigi francesco angelo vincenzo salvatore domenico marco andrea alessandro matteo lorenzo davide riccardo simone federico stefano paolo giorgio
    giulia chiara francesca alessandra elisa federica silvia martina sofia ginevra aurora alessia giorgia beatrice arianna noemi ludovica manlio liviana leone
    jan johan pieter willem hendrik cornelis gerrit dirk maarten jeroen bas sander joost thijs daan sem bram anneke marijke femke sanne lotte fleur mieke saskia maaike aantje
    lars anders per karl nils johan mikael magnus gustav oskar viktor axel björn erik bengt göran håkan åke lennart torbjörn åsa anna eva karin kristina birgitta ingrid elin
    malin astrid linnea ebba saga kari liv solveig randi bjørn ole knut arne geir odd svein trond øyvind håvard mette kirsten hanne lone bente jette søren jørgen niels henrik
    mikkel rasmus frederik kjeld preben emilie juhani matti timo jukka pekka antti heikki mikko jari sari päivi tiina anneli kaarina liisa aino eino väinö toivo eero
    jan andrzej piotr krzysztof stanisław tomasz paweł marcin michał grzegorz wojciech zbigniew jerzy tadeusz łukasz jakub mateusz anna maria katarzyna małgorzata agnieszka
    barbara ewa krystyna elżbieta joanna zofia wisława jadwiga halina danuta magdalena beata dorota jiří petr josef pavel martin tomáš jaroslav miroslav zdeněk václav lenka
    jana hana věra zuzana kateřina růžena ludmila istván lászló józsef jános zoltán sándor gábor ferenc attila zsolt krisztián mária erzsébet katalin ilona éva szabina
    ion gheorghe vasile constantin mihai andrei alexandru ştefan ștefan cristian adrian elena ioana andreea mihaela daniela ivan dmitri dmitry sergei sergey vladimir alexei
    nikolai mikhail andrei igor oleg yuri boris pavel anatoly anastasia ekaterina natalia tatiana svetlana olga irina ludmila galina oksana yulia
    иван дмитрий сергей владимир алексей николай михаил андрей игорь олег юрий борис павел анастасия екатерина наталья татьяна светлана ольга ирина людмила галина юлия анна
    мария елена александр максим артём тарас богдан оксана соломія
    dimitris giorgos yannis nikos kostas panagiotis vasilis eleni katerina sofia γιώργος γιάννης δημήτρης νίκος μαρία ελένη κατερίνα
    mehmet mustafa ahmet ali hüseyin hasan ibrahim ismail osman murat fatma ayşe emine hatice zeynep elif meryem özlem gizem büşra
    mohammed mohamed muhammad ahmed mahmoud omar khaled hassan hussein youssef tariq bilal karim rashid salim fatima aisha layla mariam noor zainab khadija yasmin amina
    raj rajesh suresh ramesh mahesh amit anil sunil vijay sanjay ravi arjun rahul rohan vikram aditya karthik priya pooja neha anjali kavita sunita lakshmi deepika shreya divya
    meera aarav vivaan ananya ishaan manthan venkatesh subramaniam harpreet gurpreet jaspreet
    hiroshi takashi kenji takeshi satoshi yuki haruto sota daiki yuko keiko naoko akiko yumi sakura haruka tomomi chise kazuo takumi ayumi
    wei jing min-jun ji-hoon seo-yeon minh nguyen linh thuy huong somchai siti nurul budi dewi agus putri eko
    kwame kofi ama akua chidi chinedu emeka ngozi amara oluwaseun adebayo folake thabo sipho nomvula lerato wanjiru kamau njeri
    yosef moshe avraham yitzhak rivka tamar noa shira eitan itai
    yuri selina halldór todd dreux christin krzysztof bertram kurt otto ernst josef franz ludwig sigrid gudrun halina zbigniew vytautas jonas rasa daiva jānis līga kristīne toomas tiit mehrudin
    zoe zoë chloe gemma tracey shaun kieran lewis darren gavin craig marcus damian dominic fabian julian adrian jared dustin trent brent chad derek glen glenda ross spencer travis
    tanya natasha nadia sonia monica veronica erica jenna leah molly caitlin bethany holly jill gail lynn marcia phyllis rhonda yvonne yolanda latoya keisha tamika darnell
    sylvia jack max audrey brendan aimee conor stacey tammy jonathon brianna cathy brad evan corinne fergal eoghan antony aidan eugene katie kate kathy wendy clifford shannon
    lindsay sophie ian crystal marcia glenn sherry stacy tara tina todd tony tracy troy valerie vanessa vickie whitney yvette zachariah alison alyssa angelica annette april
    ashlee audra autumn bernard bethan beverley bonnie brandi brandy brett bridget caleb calvin candace carla carly carrie cassandra cassidy cedric chelsea christie christy claire clara clifton
    cody colleen connie connor courtney damon dana danny dawn deanna debbie desiree devin devon dominique donald donna duane dwayne eddie eileen elaine eleanor ellen erika erin erik
    ernest ethan evelyn fernando francis fred frederick gavin geoff gerald gina gladys gordon guy gwendolyn hayley heidi herbert hilary hope howard ivy jaclyn jamie janelle janine jasmine jay
    jeanne jeff jeffery jenny jeremiah jeremy jerome jesse jill jim jimmy jo joann joanna joanne jocelyn joel joey johnny jon jonah josh joy juanita karl karla kathleen kathryn kathy
    katelyn keith kelli kellie kelsey ken kendra kerry kirsty krista kristen kristi kristin kristina kristy kurt lance laurie leigh leslie lisa lloyd louise lucy luke lydia lynda lynne
    mackenzie maddison mandy marc margaret maria marianne marie marissa marvin maureen maxine melinda melvin meredith mickey miranda mitchell molly morgan nathaniel neil nina nora norman
    oscar paige pam patty paula peggy penny pete rachael ramona randall rebekah regina rhys ricardo rick ricky rob robin rodney roberta ronnie rosemary ruby sabrina sally sam sasha selena
    shane shawn sheila shelby shelley sheri sierra simon spencer stacie stanley stella sue summer suzanne sydney tabitha tamara tasha ted teri theodore theresa tim tom tommy tonya traci tristan
    vernon vicki virginia warren wesley wilson winifred yolanda zac zack isaac isabel isabelle harrison elliott elliot freddie archie alfred albie reuben theo jude finlay kian leon sebastian
    reinhilde catharina adelheid alois annegret annemarie antje arne axel bärbel benno berthold carsten christa claus detlef dietmar dorothea eberhard egon elke erich erika ernst ewald falk
    frieda friedhelm georg gerd gerda gertrude gottfried gunther hanna hannes harald hartmut hedwig heiko heiner helene henning hermann herta hubert inge irma irmgard jochen johann johannes joachim
    jutta karl kirsten kornelia lieselotte ludger lothar luise lutz magdalena margarete margot margret marianne marta mathilde melanie mirko norbert olaf oskar pascal petra philipp rainer regine
    reiner reinhard reinhold roland rolf rosemarie rudolf ruth siegfried sigrid silvia simon sonja stefanie steffi swen theo theodor thilo trude udo ulrich ulrike veronika volker walburga werner wilma wolf
    jeannine alicia josiane marcelle théodore adrien anaïs antoinette arnaud aurore bertrand capucine célina charline christiane claude claudine clémentine colette danielle david delphine denis didier dominique
    édouard élisabeth emmanuel emmanuelle éric étienne fabrice fernand florian franck georges gérard gilbert gilles grégoire guy hélène henri henriette hervé inès jeanne jérôme joseph josette
    jules laetitia laure laurence lorraine louise luc lucas ludovic madeleine marcel marguerite marthe mathilde maurice michèle mireille nadège nina noémi odette patrice paulette paul pénélope
    raymond régis renée richard roger roland simone solange sophie susanne suzanne théophile thibault tristan valentine véronique victor virginie xavier yves zacharie zoé
    geetika charan ria gautam ayushman manya anmol aryan anika advait aarush abhishek aishwarya akash akshay alok amita ananya aniruddha
    ankit ankita anuj arnav aruna ashish ashok ashwin bhavna chandra chetan dhruv dinesh divya gaurav gayatri geeta gopal harish hemant indira ishita jatin jyoti kabir kamal karan kiran krishna kunal lalit
    madhuri manish manoj meena mohan mukesh nandini naresh naveen nikhil nisha nitin pankaj parth pradeep pranav prasad pratik rakesh ramya ranjit rekha ritika ritu rohit sachin sameer sandeep sangeeta
    santosh sarika saurabh shalini shashi shilpa shiv shobha siddharth sonali srinivas subhash sudha sudhir sumit suman sushil swati tanvi tarun uday uma usha varun vidya vinay vinod vishal yash
    donato margherita adriana agnese alba aldo alfonso alfredo amedeo angela annalisa arturo augusto barbara benedetta benito bianca bruna camilla carla carlo carmela caterina cecilia cesare
    chiara claudio cosimo cristiano dario domenico donatella edoardo elena elio emanuele emilia enrica enrico ernesto ettore eugenio fabio fabrizio fausto fiorella filippo flavio franco gabriele
    gaetano giacomo gian gianluca gianni gino gioacchino giovanna giuliana giuliano giuseppina graziella gregorio guglielmo guido ida ilaria ivana jacopo laura leonardo letizia lidia livia loredana luca
    lucia luciano lucrezia manuela marcello mariana marina marisa massimo maurizio michela michele mirella monica natalia nicola nicoletta nino ornella orlando ottavio paola patrizia pietro pina
    raffaele raffaella renato renzo rita roberto rocco romolo rosario rosella rosina sandro saverio sergio silvio stefania teresa tiziana tommaso umberto ugo valentina valerio vincenza vito vittoria vittorio
    mieszko aniela natasza bogdan bogumił bożena celina czesław dariusz dominik edyta eliza emilia franciszek gabriel grażyna gustaw henryk hubert ignacy igor iga iwona jacek janusz jarosław
    julia julian justyna kacper kaja kalina kamil kamila karina karol karolina kinga klaudia konrad konstanty kornelia leszek liliana lucyna ludwik maciej maja malwina mariusz marcelina marek maria marianna
    melania mikołaj milena mirosław monika natalia nikodem norbert oliwia oskar patryk przemysław radosław rafał renata robert roksana roman ryszard sebastian sławomir stefan sylwia szymon tadeusz tymon wanda
    weronika wiktor wiktoria witold włodzimierz zuzanna zygmunt kalevi elisabet sirkka aarne aleksi antero anu arja armas arto eeva eila elina erkki esa hanna hannele hannu harri heidi heli helvi hilkka ilkka
    irja jaakko jani janne jarmo jenni johanna jorma jouni juha juho jukka kaija kalle kari katja kauko kerttu kimmo kirsi kyllikki lasse lauri leena marja marjatta marko martti mauri merja mika minna niko
    olavi onni outi pasi pauli pentti petri pirjo pirkko raija raimo riikka risto ritva saara samuli satu seppo sini sirpa susanna tapani tapio tarja teemu tero tuomas tuula ulla urpo veikko ville virpi
    katrine caitlyn johannes melanie vinicio julieta kelly nicole halldór stefanía guðrún ólafur sigurður jón elínborg árni bjarni kristín þóra agnete anders anette annika arvid asger bjarke bodil britta camilla
    carsten cecilie ditte dorte ebbe egil einar elisabeth ellen else emma erling esben eskil espen flemming frida frode gitte grethe gry gunnar gunnhild hege heidi helle henning hilde inga inge inger ivar jakob jan
    janne jonas jytte karen kasper katrine kirsten kjell kjetil klaus kristian kristin kristoffer lasse leif linda lise lisbeth line lis mads magne marianne marit martine mathias merete mogens morten nanna
    nina ole olav per pernille poul randi rikke roar rolf sidsel signe sigurd simen siri sissel stian stig susanne svend synnøve tage terje thea therese thomas tore torill torunn trine troels truls turid ulf
    vibeke vidar viggo agneta alva anders anette ann-christin arne berit bertil birger bo bodil britt camilla cecilia christer daga elsa emelie erika ewa folke fredrik frida gerd gunilla gunnel hanna helena
    henrik inga inger isak ivar jan jenny jens jessica joakim johanna jonas josefin kajsa katarina kent kenneth kerstin kjell lena lina linn lisa lotta louise lovisa ludvig madeleine magdalena maj margareta marianne
    mats mattias moa niklas olle ove patrik pernilla petter ragnar roger rolf ronny sanna sara siv sofia solveig sonja staffan stig sture susanne sven tobias tommy tora torsten ulf ulla ulrika veronica viveka
    esther ana catarina sophia rodica anuța adina aurel bianca bogdan camelia carmen catalin ciprian claudia corina cosmin costel cristina dana dan denisa diana doina dorin dragoș eduard emil emilia eugen
    evangelia darko laureen charlotte zsuzsanna zsófia ákos andrás anikó balázs béla bence boglárka csaba csilla dániel dávid dorottya edit emese enikő erika eszter fanni fruzsina gergely gergő györgy hajnalka ibolya
    ildikó imre judit kálmán károly kinga klára kornél levente lilla márk márton máté miklós mónika noémi nóra orsolya péter piroska réka rita róbert szilvia tamás tibor tímea veronika vilmos viktória zoltán
    """.split()  # noqa: SIM905  a word list reads better so
) - frozenset(
    [
        "may",
        "will",
        "mark",
        "grace",
        "rose",
        "hope",
        "faith",
        "joy",
        "summer",
        "autumn",
        "dawn",
        "april",
        "june",
        "august",
        "art",
        "bill",
        "rich",
        "frank",
        "christian",
        "jordan",
        "austin",
        "georgia",
        "virginia",
        "sara",
        "aurora",
        "leo",
        "mason",
        "logan",
        "per",
        "odd",
        "min",
        "ali",
        "ion",
        "eva",
        "lea",
        "liv",
        "saga",
        "daisy",
        "poppy",
        "amber",
        "angel",
        "mercedes",
        "victoria",
        "florence",
        "paris",
        "madison",
        "charlotte",
        "chad",
        "kai",
        "noor",
        "raj",
        "eko",
        "sem",
        "bas",
        "tit",
        "jose",
        "jean",
        "ama",
        "dirk",
        "simone",
        "andrea",
        "leone",
        "jan",
        "ann",
        "hope",
        "ivy",
        "ruby",
        "guy",
        "jay",
        "max",
        "sierra",
        "devin",
        "dana",
        "robin",
        "wilson",
        "warren",
        "spencer",
        "sydney",
        "paige",
        "penny",
        "sue",
        "sam",
        "rob",
        "bo",
        "dan",
        "esa",
        "ana",
        "alba",
        "anu",
        "per",
        "ole",
        "else",
        "line",
        "inge",
        "maja",
        "uma",
        "ria",
        "may",
        "miranda",
        "stella",
        "harrison",
        "morgan",
        "elliot",
        "karina",
        "luna",
        "page",
        "lance",
        "chase",
        "norman",
        "gordon",
        "francis",
        "stanley",
        "guido",
        "nicola",
        "rita",
        "marina",
        "lorraine",
        "valentine",
        "iris",
        "roman",
        "dominique",
        "pascal",
        "cecilia",
        "orlando",
        "mika",
        "ted",
        "pete",
        "pat",
        "rick",
        "ricky",
        "moa",
        "saga",
        "linda",
        "lotta",
        "ove",
        "thea",
        "lis",
        "lise",
        "sini",
        "line",
        "solange",
        "florian",
        "celina",
        "julia",
        "ida",
        "ella",
        "alma",
        "kent",
        "ken",
        "kiran",
        "chandra",
        "krishna",
        "shiv",
        "indira",
        "luca",
        "edit",
        "carmen",
        "diana",
        "dan",
        "angelica",
        "austin",
        "joy",
        "autumn",
        "summer",
        "april",
        "virginia",
        "crystal",
        "gavin",
        "heidi",
        "wolf",
        "falk",
        "claude",
        "bob",
        "ki",
    ]
)
